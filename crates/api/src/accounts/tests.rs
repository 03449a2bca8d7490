//! The rules of signing in, on the real store, with a clock moved by hand.

use std::sync::Arc;

use tempfile::TempDir;
use tidings_domain::{
    account::{Email, Role, SESSION_IDLE_MS, SESSION_MS},
    ids::{OrganizationId, ProjectId},
    page::PageRequest,
    tenancy::{KeyOwner, Organization, Scopes},
    time::Timestamp,
};
use tidings_engine::IdSource;
use tidings_fakes::{ManualClock, SeededEntropy};
use tidings_ports::store::{
    AcceptBy, AuditActor, AuditEntry, AuditFilter, NewOrganization, PasswordChange, Proof, Seat, Store,
};

use super::{AccountError, Accounts, SignIn, Visitor};

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const DAY_MS: u64 = 86_400_000;
const PASSWORD: &str = "correct horse battery";

struct House {
    accounts: Accounts,
    store: Arc<dyn Store>,
    ids: Arc<IdSource>,
    clock: Arc<ManualClock>,
    _directory: TempDir,
}

impl House {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store: Arc<dyn Store> = Arc::new(tidings_store_sqlite::open(directory.path()).expect("a store"));
        let clock = Arc::new(ManualClock::at(START));
        let ids = Arc::new(IdSource::new(0, 0, Arc::clone(&clock) as _, Arc::new(SeededEntropy::new(1))));
        let accounts = Accounts::new(Arc::clone(&store), Arc::clone(&ids));
        Self { accounts, store, ids, clock, _directory: directory }
    }

    async fn organization(&self, name: &str) -> (OrganizationId, ProjectId) {
        let (id, default_project_id) = (self.ids.organization(), self.ids.project());
        let organization = Organization { id, name: name.to_owned(), default_project_id };
        let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
        self.store.create_organization(new, None).await.expect("stored");
        (id, default_project_id)
    }

    /// The token of an invite.
    async fn invite(&self, organization_id: OrganizationId, role: Role, email: &str) -> String {
        let email = Email::parse(email).expect("an address");
        let seat = Seat::Member { organization_id, role };
        let made = self.accounts.new_invite(seat, Some(email), &AuditActor::Instance);
        self.store.create_invite(made.new, None).await.expect("stored");
        made.token
    }

    async fn join(&self, organization_id: OrganizationId, role: Role, email: &str) -> SignIn {
        let token = self.invite(organization_id, role, email).await;
        self.accounts.accept(&token, "Somebody", PASSWORD, &home()).await.expect("accepted")
    }

    async fn is_signed_in(&self, sign_in: &SignIn) -> bool {
        self.accounts.session(&sign_in.token).await.expect("read").is_some()
    }

    async fn audit(&self) -> Vec<AuditEntry> {
        let page = self.store.list_audit(AuditFilter::default(), PageRequest::default()).await.expect("listed");
        page.rows
    }
}

fn from(address: &str) -> Visitor {
    Visitor { address: address.parse().expect("an address"), user_agent: "a browser".to_owned() }
}

fn home() -> Visitor {
    from("192.0.2.1")
}

#[tokio::test]
async fn the_first_link_makes_one_operator_and_there_is_no_second() {
    let house = House::new();
    let accounts = &house.accounts;
    let token = accounts.first_start_token().await.expect("stored").expect("nobody is there");
    assert_eq!(accounts.first_start_token().await, Ok(None), "once per data directory");
    let used = accounts.use_start_token("x", "mia@example.com", PASSWORD, &home()).await;
    assert_eq!(used.map(drop), Err(AccountError::LinkGone));
    let used = accounts.use_start_token(&token, "mia", PASSWORD, &home()).await;
    assert!(matches!(used, Err(AccountError::Fields(errors)) if errors[0].field == "email"));
    let used = accounts.use_start_token(&token, "mia@example.com", "short", &home()).await;
    assert!(matches!(used, Err(AccountError::Fields(errors)) if errors[0].field == "password"));
    let first = accounts.use_start_token(&token, "Mia@example.com", PASSWORD, &home()).await.expect("made");
    let again = accounts.use_start_token(&token, "eve@example.com", PASSWORD, &home()).await;
    assert_eq!(again.map(drop), Err(AccountError::LinkGone), "once");
    let session = accounts.session(&first.token).await.expect("read").expect("signed in");
    assert!(session.account.operator && session.acting_as_operator().is_some());
    let again = accounts.sign_in(" MIA@example.com", PASSWORD, &home()).await.expect("signed in");
    assert_ne!(again.token, first.token, "a session of its own");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_apart_by_nobody() {
    let house = House::new();
    let (acme, _) = house.organization("Acme").await;
    house.join(acme, Role::Owner, "mia@example.com").await;
    for (email, password) in
        [("mia@example.com", "wrong horse battery"), ("eve@example.com", PASSWORD), ("", ""), ("mia", PASSWORD)]
    {
        let refused = house.accounts.sign_in(email, password, &home()).await.map(drop);
        assert_eq!(refused, Err(AccountError::WrongCredentials), "{email}");
    }
    // Both are slowed down the same way.
    for email in ["bob@example.com", "mia@example.com"] {
        let visitor = from("192.0.2.9");
        for _ in 0..5 {
            let refused = house.accounts.sign_in(email, "wrong horse battery", &visitor).await.map(drop);
            assert_eq!(refused, Err(AccountError::WrongCredentials));
        }
        let refused = house.accounts.sign_in(email, PASSWORD, &visitor).await.map(drop);
        assert_eq!(refused, Err(AccountError::TooMany { retry_after_s: 12 }), "{email}");
    }
    assert!(house.accounts.sign_in("mia@example.com", PASSWORD, &from("198.51.100.1")).await.is_ok());
    house.clock.advance_ms(12_000);
    assert!(house.accounts.sign_in("mia@example.com", PASSWORD, &from("192.0.2.9")).await.is_ok(), "not for ever");
    for _ in 0..20 {
        let signed_in = house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await;
        assert!(signed_in.is_ok(), "the right password uses nothing up");
    }
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_signs_nobody_in() {
    let house = House::new();
    let ((acme, _), (other, _)) = (house.organization("Acme").await, house.organization("Other").await);
    let mia = house.join(acme, Role::Owner, "mia@example.com").await;
    let session = house.accounts.session(&mia.token).await.expect("read").expect("signed in");
    let email = Email::parse("mia@example.com").expect("an address");
    let known = house.store.find_account(&email).await.expect("read").expect("known");
    let former = known.password_hash.expect("has one");
    let invite = house.invite(other, Role::Viewer, "mia@example.com").await;

    house.accounts.change_password(&session, PASSWORD, "another horse", &home()).await.expect("changed");
    // Each of these had its password verified just before.
    let late = house.accounts.begin(known.account, former.clone(), &home()).await.map(drop);
    assert_eq!(late, Err(AccountError::WrongCredentials), "a sign-in");
    let by = AcceptBy::Existing(session.account.id, Proof::Password(former.clone()));
    let view = house.store.find_invite(super::token_hash(&invite), START).await.expect("read").expect("is open");
    let late = house.accounts.accept_by(&invite, by, Some(&view.invite), &home()).await.map(drop);
    assert_eq!(late, Err(AccountError::WrongCredentials), "an invite");
    let account_id = session.account.id;
    let change = PasswordChange { account_id, verified: former, hash: "theirs".to_owned(), keep: None };
    assert_eq!(house.store.set_password(change).await, Ok(false), "another change");
    assert_eq!(house.accounts.sessions(&session).await.map(|sessions| sessions.len()), Ok(1), "hers alone");
    assert!(house.accounts.look(&invite).await.expect("read").is_some(), "is not used up");
    assert!(house.audit().await.iter().all(|entry| entry.action != "account.sign_in"), "and nothing is noted");
}

#[tokio::test]
async fn strangers_at_the_same_address_keep_nobody_out_who_is_known() {
    let house = House::new();
    let ((acme, _), (other, _)) = (house.organization("Acme").await, house.organization("Other").await);
    let mia = house.join(acme, Role::Owner, "mia@example.com").await;
    let session = house.accounts.session(&mia.token).await.expect("read").expect("signed in");
    let invite = house.invite(other, Role::Viewer, "mia@example.com").await;
    let guess = async |email: String| house.accounts.sign_in(&email, "wrong horse", &home()).await.map(drop);
    for _ in 0..5 {
        assert_eq!(guess("mia@example.com".to_owned()).await, Err(AccountError::WrongCredentials));
    }
    // The rest of what the address may do, without computing it.
    let address = home().address;
    for number in 0..25 {
        let email = Email::parse(&format!("{number}@example.com")).expect("an address");
        assert!(house.accounts.limits.take(&email, address, false, START).is_ok());
    }
    assert!(matches!(guess("mia@example.com".to_owned()).await, Err(AccountError::TooMany { .. })));
    assert!(house.accounts.accept(&invite, "", PASSWORD, &home()).await.is_ok(), "has the link");
    let changed = house.accounts.change_password(&session, PASSWORD, "another horse", &home()).await;
    assert_eq!(changed, Ok(()), "is signed in");
    for number in 0..6 {
        let wrong = house.accounts.change_password(&session, PASSWORD, "a third horse", &home()).await;
        assert_eq!(matches!(wrong, Err(AccountError::TooMany { .. })), number == 5, "{wrong:?}");
    }
}

#[tokio::test]
async fn accepting_while_signed_in_goes_on_with_another_session() {
    let house = House::new();
    let ((acme, _), (other, _)) = (house.organization("Acme").await, house.organization("Other").await);
    let former = house.join(acme, Role::Owner, "mia@example.com").await;
    let session = house.accounts.session(&former.token).await.expect("read").expect("signed in");
    let invite = house.invite(other, Role::Viewer, "mia@example.com").await;
    let next = house.accounts.accept_as(&invite, &session, &home()).await.expect("accepted");
    assert!(house.is_signed_in(&next).await && !house.is_signed_in(&former).await);
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_and_by_hand() {
    let house = House::new();
    let (acme, _) = house.organization("Acme").await;
    let first = house.join(acme, Role::Owner, "mia@example.com").await;
    let second = house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.expect("signed in");
    for _ in 0..SESSION_MS / (SESSION_IDLE_MS - DAY_MS) {
        assert!(house.is_signed_in(&second).await, "as long as it is used");
        house.clock.advance_ms(SESSION_IDLE_MS - DAY_MS);
    }
    assert!(!house.is_signed_in(&first).await, "nobody used it");
    assert!(!house.is_signed_in(&second).await, "it is too old");

    let (one, two) = (
        house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.expect("signed in"),
        house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.expect("signed in"),
    );
    let session = house.accounts.session(&one.token).await.expect("read").expect("signed in");
    let sessions = house.accounts.sessions(&session).await.expect("listed");
    assert_eq!(sessions.iter().map(|view| view.is_own).collect::<Vec<_>>(), [false, true]);
    assert_eq!(house.accounts.end_session(&session, sessions[0].id, &home()).await, Ok(true));
    assert!(!house.is_signed_in(&two).await);
    assert_eq!(house.accounts.end_session(&session, sessions[0].id, &home()).await, Ok(false));
    house.accounts.sign_out(&session, &home()).await.expect("signed out");
    assert!(!house.is_signed_in(&one).await);
}

#[tokio::test]
async fn another_password_ends_the_other_sessions_and_asks_for_the_present_one() {
    let house = House::new();
    let (acme, _) = house.organization("Acme").await;
    let other = house.join(acme, Role::Owner, "mia@example.com").await;
    let own = house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.expect("signed in");
    let session = house.accounts.session(&own.token).await.expect("read").expect("signed in");
    let change = async |present, new| house.accounts.change_password(&session, present, new, &home()).await;
    let field = |result: Result<(), AccountError>| match result {
        Err(AccountError::Fields(errors)) => errors[0].field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(change("wrong horse battery", "another horse").await), "password");
    assert_eq!(field(change(PASSWORD, "short").await), "new_password");
    assert_eq!(field(change(PASSWORD, "MIA@example.com").await), "new_password");
    assert!(house.is_signed_in(&other).await, "nothing has happened");
    change(PASSWORD, "another horse").await.expect("changed");
    assert!(house.is_signed_in(&own).await && !house.is_signed_in(&other).await);
    let old = house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.map(drop);
    assert_eq!(old, Err(AccountError::WrongCredentials));
    assert!(house.accounts.sign_in("mia@example.com", "another horse", &home()).await.is_ok());
}

#[tokio::test]
async fn an_invite_is_accepted_by_whom_it_is_for() {
    let house = House::new();
    let ((acme, _), (shop, _)) = (house.organization("Acme").await, house.organization("Shop").await);
    let eve = house.join(acme, Role::Owner, "eve@example.com").await;
    let token = house.invite(shop, Role::Developer, "mia@example.com").await;
    let view = house.accounts.look(&token).await.expect("read").expect("is good");
    assert_eq!(
        (view.organization_name.as_deref(), view.role, view.has_account),
        (Some("Shop"), Some(Role::Developer), false)
    );
    let eve = house.accounts.session(&eve.token).await.expect("read").expect("signed in");
    let taken = house.accounts.accept_as(&token, &eve, &home()).await.map(drop);
    assert_eq!(taken, Err(AccountError::OtherAccount));
    let nameless = house.accounts.accept(&token, " ", "short", &home()).await;
    let Err(AccountError::Fields(errors)) = nameless else { panic!() };
    assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["name", "password"]);
    let mia = house.accounts.accept(&token, "Mia", PASSWORD, &home()).await.expect("accepted");
    assert_eq!(house.accounts.look(&token).await, Ok(None), "once");

    // Whoever has an account shows that it is theirs, by its password or by being signed in.
    let token = house.invite(acme, Role::Viewer, "mia@example.com").await;
    let refused = house.accounts.accept(&token, "Mia", "wrong horse battery", &home()).await.map(drop);
    assert_eq!(refused, Err(AccountError::WrongCredentials));
    let session = house.accounts.session(&mia.token).await.expect("read").expect("signed in");
    let again = house.accounts.accept_as(&token, &session, &home()).await.expect("accepted");
    let session = house.accounts.session(&again.token).await.expect("read").expect("signed in");
    assert_eq!((session.role_in(shop), session.role_in(acme)), (Some(Role::Developer), Some(Role::Viewer)));

    house.clock.advance_ms(8 * DAY_MS);
    let token = house.invite(acme, Role::Viewer, "ann@example.com").await;
    house.clock.advance_ms(7 * DAY_MS);
    assert_eq!(house.accounts.look(&token).await, Ok(None), "too old");
    let late = house.accounts.accept(&token, "Ann", PASSWORD, &home()).await.map(drop);
    assert_eq!(late, Err(AccountError::LinkGone));
}

#[tokio::test]
async fn members_act_by_their_role_in_their_organizations_and_operators_everywhere() {
    let house = House::new();
    let ((acme, project), (_, foreign)) = (house.organization("Acme").await, house.organization("Shop").await);
    let viewer = house.join(acme, Role::Viewer, "mia@example.com").await;
    let viewer = house.accounts.session(&viewer.token).await.expect("read").expect("signed in");
    let (acting, found) = house.accounts.acting_on(&viewer, project).await.expect("read").expect("is hers");
    assert_eq!((acting.scopes, found.organization_id), (Role::Viewer.scopes(), acme));
    assert_eq!(acting.owner, KeyOwner::Organization { id: acme, project_id: None });
    assert_eq!(acting.actor, AuditActor::Account(viewer.account.id));
    let missing = house.ids.project();
    for nothing in [foreign, missing] {
        assert_eq!(house.accounts.acting_on(&viewer, nothing).await, Ok(None));
    }
    let token = house.accounts.first_start_token().await.expect("stored");
    assert_eq!(token, None, "somebody can sign in already");
    assert!(viewer.acting_as_operator().is_none());

    let other = House::new();
    let (_, project) = other.organization("Acme").await;
    let token = other.accounts.first_start_token().await.expect("stored").expect("nobody is there");
    let operator = other.accounts.use_start_token(&token, "ann@example.com", PASSWORD, &home()).await.expect("made");
    let operator = other.accounts.session(&operator.token).await.expect("read").expect("signed in");
    let (acting, _) = other.accounts.acting_on(&operator, project).await.expect("read").expect("everywhere");
    assert_eq!((acting.owner, acting.scopes), (KeyOwner::Operator, Scopes::all()));
}

#[tokio::test]
async fn forms_of_a_session_are_its_own() {
    let house = House::new();
    let (acme, _) = house.organization("Acme").await;
    let one = house.join(acme, Role::Owner, "mia@example.com").await;
    let two = house.accounts.sign_in("mia@example.com", PASSWORD, &home()).await.expect("signed in");
    let one = house.accounts.session(&one.token).await.expect("read").expect("signed in");
    let again = house.accounts.session(&two.token).await.expect("read").expect("signed in");
    assert!(one.is_csrf(one.csrf()) && !one.is_csrf(again.csrf()) && !one.is_csrf(""));
    assert!(!one.csrf().contains(&two.token));
}

#[tokio::test]
async fn inv_secret_the_audit_log_knows_who_came_and_no_token() {
    let house = House::new();
    let (acme, _) = house.organization("Acme").await;
    let invite = house.invite(acme, Role::Owner, "mia@example.com").await;
    let first = house.accounts.accept(&invite, "Mia", PASSWORD, &home()).await.expect("accepted");
    let second = house.accounts.sign_in("mia@example.com", PASSWORD, &from("198.51.100.7")).await.expect("signed in");
    let _ = house.accounts.sign_in("mia@example.com", "wrong horse battery", &home()).await;
    let session = house.accounts.session(&second.token).await.expect("read").expect("signed in");
    house.accounts.change_password(&session, PASSWORD, "another horse", &home()).await.expect("changed");
    house.accounts.sign_out(&session, &home()).await.expect("signed out");
    let entries = house.audit().await;
    let acts: Vec<_> = entries.iter().rev().map(|entry| (entry.action.as_str(), entry.address.as_str())).collect();
    assert_eq!(
        acts,
        [
            ("invite.accept", "192.0.2.1"),
            ("account.sign_in", "198.51.100.7"),
            ("account.set_password", "192.0.2.1"),
            ("account.sign_out", "192.0.2.1"),
        ]
    );
    assert!(entries.iter().all(|entry| entry.actor == AuditActor::Account(session.account.id)));
    let text = format!("{entries:?} {session:?} {:?}", house.accounts.sessions(&session).await);
    for secret in [&invite, &first.token, &second.token, PASSWORD, "another horse", "argon2id"] {
        assert!(!text.contains(secret), "{text}");
    }
}
