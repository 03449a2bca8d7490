//! What any store must do, whatever database it lies in: tests to be run against each of them.
//!
//! A test is a function of a [`World`]: a store with one project. [`conformance!`] makes tests of all of them.
//!
//! Deliberately absent: anything that one database alone has. Who goes round the store does it through [`Outside`].

#[doc(hidden)]
pub mod accounts;
#[doc(hidden)]
pub mod acts;
#[doc(hidden)]
pub mod backlog;
#[doc(hidden)]
pub mod catalogues;
pub mod compare;
#[doc(hidden)]
pub mod history;
pub mod model;
#[doc(hidden)]
pub mod plans;
#[doc(hidden)]
pub mod queue;
#[doc(hidden)]
pub mod retention;
#[doc(hidden)]
pub mod runs;
mod world;

pub use world::{Home, Outside, START, World, newborn};

/// Every test, for the store that a function makes: `async fn() -> World`.
#[macro_export]
macro_rules! conformance {
    ($open:path) => {
        $crate::tests! { $open;
            accounts {
                an_invite_makes_one_account_a_member_and_is_used_up;
                the_last_owner_and_the_last_operator_stay;
                whoever_has_no_place_left_has_no_account_and_no_session;
                sessions_end_by_age_by_idleness_and_when_there_are_too_many;
                an_account_is_a_member_of_so_many_organizations_and_no_more;
                a_provider_lets_in_whom_it_vouches_for_and_takes_the_password_of_whoever_came_before;
                the_link_of_the_operator_is_good_once_and_a_new_one_ends_it;
            }
            acts {
                an_act_and_its_entry_are_one_transaction;
                an_act_that_cannot_be_written_down_is_undone;
                entries_and_hours_of_long_ago_are_forgotten_a_few_at_a_time;
                inv_bounded_statistics_add_up_so_many_rows_and_no_more;
            }
            backlog {
                a_claim_takes_no_longer_because_there_is_more;
            }
            catalogues {
                inv_bounded_a_catalogue_has_so_many_event_types;
                snapshots_hold_no_schema_that_takes_no_events;
            }
            history {
                every_filter_gives_what_looking_at_everything_gives;
                a_list_of_events_says_how_much_of_each_arrived;
                an_event_is_not_taken_for_one_of_another_node;
                inv_isolation_nothing_of_another_project_is_found;
                attempts_stay_in_order_over_retries_and_manual_ones;
            }
            plans {
                what_an_operator_lists_is_found_by_every_database;
                a_limit_counts_the_webhooks_of_all_projects_that_are_not_deleted;
                creations_at_once_cannot_pass_the_limit_together;
                a_downgrade_disables_the_newest_and_an_upgrade_gives_back_only_those;
                a_deletion_makes_room_for_what_the_limit_had_disabled;
                a_changed_configuration_is_applied_and_an_unknown_plan_limits_nothing;
            }
            queue {
                inv_fence_a_stale_verdict_changes_nothing;
                inv_fence_holds_over_a_manual_retry;
                due_times_follow_a_wall_clock_that_was_set_once_another_process_starts;
                claims_are_oldest_first_bounded_and_say_what_is_left;
                inv_bounded_a_claim_stops_at_the_bytes_it_may_take;
                a_released_lease_is_due_again_and_a_deleted_webhooks_is_cancelled;
                a_retry_of_a_deleted_webhooks_delivery_becomes_a_cancellation;
                inv_fanout_a_changed_project_takes_no_event_that_does_not_know_of_it;
                a_request_head_that_was_rolled_back_is_not_taken_for_another;
            }
            retention {
                an_event_that_is_over_goes_with_everything_that_hangs_on_it;
                steps_are_small_however_many_webhooks_an_event_went_to;
                what_is_wanted_does_not_hold_up_what_is_not;
                a_project_loses_its_own_alone;
                what_a_provider_sends_again_is_known_for_longer_than_its_receipt;
                a_plan_says_how_long_its_organizations_events_are_kept;
            }
            runs {
                runs_are_listed_by_when_they_began_whenever_they_were_asked_for;
                old_runs_are_forgotten_by_when_they_began_and_step_by_step;
                a_project_and_a_user_have_so_many_properties_and_not_one_more;
                nothing_is_left_of_the_commands_of_a_deleted_project_and_nothing_of_them_is_done;
            }
        }
    };
}

/// Tests by their modules.
#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ($open:path; $($module:ident { $($name:ident;)+ })+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::$module::$name($open().await).await;
            })+
        })+
    };
}

#[cfg(test)]
mod tests {
    /// A test that nobody runs is none.
    #[test]
    fn every_test_is_in_the_list() {
        let (lib, _) = include_str!("lib.rs").split_once("mod tests").expect("this");
        let sources = [
            include_str!("accounts.rs"),
            include_str!("acts.rs"),
            include_str!("backlog.rs"),
            include_str!("catalogues.rs"),
            include_str!("history.rs"),
            include_str!("plans.rs"),
            include_str!("queue.rs"),
            include_str!("retention.rs"),
            include_str!("runs.rs"),
        ];
        for source in sources {
            for (_, rest) in
                source.match_indices("\npub async fn ").map(|(at, start)| source.split_at(at + start.len()))
            {
                let name = rest.split('(').next().expect("a name");
                assert!(lib.contains(&format!(" {name};")), "{name} is not in the list");
            }
        }
    }
}
