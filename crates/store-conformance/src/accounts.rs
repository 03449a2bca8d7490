//! People: an invite is used once, the last who may do everything stays, and nobody is left behind.

use tidings_domain::{
    account::{Account, Email, MEMBERSHIPS_MAX, Role, SESSIONS_MAX},
    ids::{AccountId, InviteId, OrganizationId, ProjectId, SessionId},
    page::{PageRequest, Total},
    tenancy::Organization,
    time::Timestamp,
};
use tidings_ports::store::{
    AcceptBy, AcceptInvite, Accepted, Entered, Entry, Invite, MemberChange, MemberChanged, NewInvite, NewOrganization,
    NewSession, PasswordChange, Proof, Seat,
};

use crate::world::{START, World};

const DAY_MS: u64 = 86_400_000;
const NEVER: Timestamp = Timestamp::from_millis(0);

struct People {
    world: World,
    one: OrganizationId,
    other: OrganizationId,
}

impl People {
    async fn new(mut world: World) -> Self {
        let one = organization(&mut world).await;
        let other = organization(&mut world).await;
        Self { world, one, other }
    }

    fn session(&mut self, account_id: AccountId) -> NewSession {
        let id = SessionId::from_parts(self.world.sequence(), 1);
        NewSession {
            id,
            hash: hash(id.sequence()),
            account_id,
            now: START,
            expires_at: START.plus_millis(30 * DAY_MS),
            address: "192.0.2.1".to_owned(),
            user_agent: "a browser".to_owned(),
        }
    }

    async fn invite(&mut self, seat: Seat, email: Option<&str>) -> [u8; 32] {
        let id = InviteId::from_parts(self.world.sequence(), 1);
        let hash = hash(id.sequence());
        let (email, expires_at) = (email.map(email_of), START.plus_millis(7 * DAY_MS));
        let invite = Invite { id, seat, email, expires_at, made_by: "key_1".to_owned() };
        self.world.store.create_invite(NewInvite { invite, hash }, None).await.expect("stored");
        hash
    }

    fn accept(&mut self, hash: [u8; 32], by: AcceptBy) -> AcceptInvite {
        let account_id = match &by {
            AcceptBy::New { account, .. } => account.id,
            AcceptBy::Existing(id, _) => *id,
        };
        AcceptInvite { hash, now: START, by, session: self.session(account_id) }
    }

    fn newcomer(&mut self, email: &str) -> AcceptBy {
        AcceptBy::New { account: self.account(email), password_hash: password_of(email) }
    }

    fn account(&mut self, email: &str) -> Account {
        let id = AccountId::from_parts(self.world.sequence(), 1);
        Account { id, email: email_of(email), name: "Somebody".to_owned(), operator: false }
    }

    /// Invites somebody new, who accepts.
    async fn join(&mut self, organization_id: OrganizationId, email: &str, role: Role) -> AccountId {
        let hash = self.invite(Seat::Member { organization_id, role }, Some(email)).await;
        let by = self.newcomer(email);
        let accept = self.accept(hash, by);
        match self.world.store.accept_invite(accept).await.expect("stored") {
            Accepted::Accepted(account) => account.id,
            other => panic!("{email}: {other:?}"),
        }
    }

    async fn roles(&self, organization_id: OrganizationId) -> Vec<(String, Option<Role>)> {
        let page = self.world.store.list_members(Some(organization_id), PageRequest::default()).await.expect("read");
        assert_eq!(page.total, Total::Exact(page.rows.len() as u64));
        page.rows.into_iter().map(|member| (member.account.email.to_string(), member.role)).collect()
    }

    async fn sessions(&self, account: AccountId) -> usize {
        self.world.store.list_sessions(account, START, NEVER).await.expect("read").len()
    }

    async fn has_account(&self, email: &str) -> bool {
        self.world.store.find_account(&email_of(email)).await.expect("read").is_some()
    }
}

async fn organization(world: &mut World) -> OrganizationId {
    let default_project_id = ProjectId::from_parts(world.sequence(), 1);
    let id = OrganizationId::from_parts(world.sequence(), 1);
    let organization = Organization { id, name: "Acme".to_owned(), default_project_id };
    let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
    world.store.create_organization(new, None).await.expect("stored");
    id
}

/// An account that has shown its password.
fn own(id: AccountId, email: &str) -> AcceptBy {
    AcceptBy::Existing(id, Proof::Password(password_of(email)))
}

fn password_of(email: &str) -> String {
    format!("hash of {email}")
}

fn email_of(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

fn hash(number: i64) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    hash
}

pub async fn an_invite_makes_one_account_a_member_and_is_used_up(world: World) {
    let mut people = People::new(world).await;
    let store_is_empty = !people.world.store.has_accounts().await.expect("read");
    assert!(store_is_empty);
    let seat = Seat::Member { organization_id: people.one, role: Role::Developer };
    let hash = people.invite(seat, Some("mia@example.com")).await;
    let found = people.world.store.find_invite(hash, START).await.expect("read").expect("is good");
    assert_eq!((found.organization_name.as_deref(), found.account), (Some("Acme"), None));
    let expired = START.plus_millis(7 * DAY_MS);
    assert!(people.world.store.find_invite(hash, expired).await.expect("read").is_none());

    let by = people.newcomer("eve@example.com");
    let accept = people.accept(hash, by);
    assert_eq!(people.world.store.accept_invite(accept).await, Ok(Accepted::OtherAccount), "for whom it was made");
    let by = people.newcomer("mia@example.com");
    let accept = people.accept(hash, by);
    let token = accept.session.hash;
    let Ok(Accepted::Accepted(mia)) = people.world.store.accept_invite(accept.clone()).await else { panic!() };
    assert_eq!(people.world.store.accept_invite(accept).await, Ok(Accepted::Gone), "once");
    let signed_in = people.world.store.find_session(token, START, NEVER).await.expect("read").expect("signed in");
    assert_eq!((signed_in.account.id, signed_in.has_password), (mia.id, true));
    let places: Vec<_> = signed_in.memberships.iter().map(|place| (place.organization_id, place.role)).collect();
    assert_eq!(places, [(people.one, Role::Developer)]);

    // Whoever is a member already is not made less by another invite.
    for (role, then) in [(Role::Viewer, Role::Developer), (Role::Owner, Role::Owner)] {
        let hash = people.invite(Seat::Member { organization_id: people.one, role }, Some("mia@example.com")).await;
        let accept = people.accept(hash, own(mia.id, "mia@example.com"));
        assert!(matches!(people.world.store.accept_invite(accept).await, Ok(Accepted::Accepted(_))));
        assert_eq!(people.roles(people.one).await, [("mia@example.com".to_owned(), Some(then))]);
    }
    let by = people.newcomer("mia@example.com");
    let hash = people.invite(seat, Some("mia@example.com")).await;
    let accept = people.accept(hash, by);
    assert_eq!(people.world.store.accept_invite(accept).await, Ok(Accepted::OtherAccount), "no second account");
}

pub async fn the_last_owner_and_the_last_operator_stay(world: World) {
    let mut people = People::new(world).await;
    let mia = people.join(people.one, "mia@example.com", Role::Owner).await;
    let change = |account_id, expected, role| MemberChange { organization_id: people.one, account_id, expected, role };
    let demote = change(mia, Role::Owner, Role::Admin);
    assert_eq!(people.world.store.change_member(demote.clone()).await, Ok(MemberChanged::Last));
    let owner = Some(Role::Owner);
    assert_eq!(people.world.store.remove_member(Some(people.one), mia, owner).await, Ok(MemberChanged::Last));
    let (one, stale) = (people.one, change(mia, Role::Admin, Role::Viewer));
    assert_eq!(people.world.store.change_member(stale).await, Ok(MemberChanged::Stale));
    let bob = people.join(one, "bob@example.com", Role::Viewer).await;
    let promote = MemberChange { organization_id: one, account_id: bob, expected: Role::Viewer, role: Role::Owner };
    assert_eq!(people.world.store.change_member(promote).await, Ok(MemberChanged::Changed));
    assert_eq!(people.world.store.change_member(demote).await, Ok(MemberChanged::Changed));
    let foreign =
        MemberChange { organization_id: people.other, account_id: bob, expected: Role::Owner, role: Role::Viewer };
    assert_eq!(people.world.store.change_member(foreign).await, Ok(MemberChanged::Missing));

    let hash = people.invite(Seat::Operator, Some("mia@example.com")).await;
    let accept = people.accept(hash, own(mia, "mia@example.com"));
    assert!(matches!(people.world.store.accept_invite(accept).await, Ok(Accepted::Accepted(mia)) if mia.operator));
    assert_eq!(people.world.store.remove_member(None, mia, None).await, Ok(MemberChanged::Last));
    let hash = people.invite(Seat::Operator, Some("bob@example.com")).await;
    let accept = people.accept(hash, own(bob, "bob@example.com"));
    assert!(matches!(people.world.store.accept_invite(accept).await, Ok(Accepted::Accepted(_))));
    assert_eq!(people.world.store.remove_member(None, mia, None).await, Ok(MemberChanged::Changed));
    assert!(people.has_account("mia@example.com").await, "she still is a member");
}

pub async fn whoever_has_no_place_left_has_no_account_and_no_session(world: World) {
    let mut people = People::new(world).await;
    let (one, other) = (people.one, people.other);
    people.join(one, "mia@example.com", Role::Owner).await;
    let bob = people.join(one, "bob@example.com", Role::Viewer).await;
    let eve = people.join(one, "eve@example.com", Role::Viewer).await;
    let hash =
        people.invite(Seat::Member { organization_id: other, role: Role::Viewer }, Some("eve@example.com")).await;
    let accept = people.accept(hash, own(eve, "eve@example.com"));
    people.world.store.accept_invite(accept).await.expect("stored");
    let viewer = Some(Role::Viewer);
    assert_eq!(people.world.store.remove_member(Some(other), bob, viewer).await, Ok(MemberChanged::Missing));
    for account in [bob, eve] {
        let removed = people.world.store.remove_member(Some(one), account, viewer).await;
        assert_eq!(removed, Ok(MemberChanged::Changed));
    }
    assert_eq!((people.has_account("bob@example.com").await, people.sessions(bob).await), (false, 0));
    assert_eq!((people.has_account("eve@example.com").await, people.sessions(eve).await), (true, 2));

    let open = people.invite(Seat::Member { organization_id: other, role: Role::Owner }, Some("ann@example.com")).await;
    assert_eq!(people.world.store.delete_organization(other, START).await, Ok(true));
    assert_eq!((people.has_account("eve@example.com").await, people.sessions(eve).await), (false, 0));
    assert!(people.world.store.find_invite(open, START).await.expect("read").is_none());
    assert!(people.has_account("mia@example.com").await, "of another organization");
}

pub async fn sessions_end_by_age_by_idleness_and_when_there_are_too_many(world: World) {
    let mut people = People::new(world).await;
    let mia = people.join(people.one, "mia@example.com", Role::Owner).await;
    let first = people.session(mia);
    let store = &people.world.store;
    assert_eq!(store.start_session(first.clone(), password_of("mia@example.com")).await, Ok(true));
    let found = async |now: Timestamp, idle_since: Timestamp| {
        store.find_session(first.hash, now, idle_since).await.expect("read").is_some()
    };
    assert!(found(START, NEVER).await);
    assert!(!found(START.plus_millis(30 * DAY_MS), NEVER).await, "too old");
    assert!(!found(START.plus_millis(DAY_MS), START).await, "not used since");
    store.note_session(first.id, START.plus_millis(5)).await.expect("stored");
    assert!(found(START.plus_millis(DAY_MS), START).await, "used since");

    let two = people.session(mia);
    let started = people.world.store.start_session(two.clone(), password_of("mia@example.com")).await;
    assert_eq!(started, Ok(true));
    assert_eq!(people.world.store.end_session(AccountId::from_parts(1, 1), two.id).await, Ok(false), "somebody else's");
    let change = PasswordChange {
        account_id: mia,
        verified: password_of("mia@example.com"),
        hash: "another".to_owned(),
        keep: Some(two.id),
    };
    assert_eq!(people.world.store.set_password(change.clone()).await, Ok(true));
    assert_eq!(people.world.store.set_password(change).await, Ok(false), "another one by now");
    let left = people.world.store.list_sessions(mia, START, NEVER).await.expect("read");
    assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [two.id]);
    for _ in 0..SESSIONS_MAX {
        let more = people.session(mia);
        assert_eq!(people.world.store.start_session(more, "another".to_owned()).await, Ok(true));
    }
    assert_eq!(people.sessions(mia).await, SESSIONS_MAX as usize);
    assert!(people.world.store.find_session(two.hash, START, NEVER).await.expect("read").is_none(), "the oldest");
    assert_eq!(people.world.store.expire_accounts(START.plus_millis(30 * DAY_MS), NEVER, 7).await, Ok(7));
    assert_eq!(people.sessions(mia).await, SESSIONS_MAX as usize - 7);
}

pub async fn an_account_is_a_member_of_so_many_organizations_and_no_more(world: World) {
    let mut people = People::new(world).await;
    let mia = people.join(people.one, "mia@example.com", Role::Owner).await;
    for number in 1..=MEMBERSHIPS_MAX {
        let organization_id = organization(&mut people.world).await;
        let hash = people.invite(Seat::Member { organization_id, role: Role::Viewer }, Some("mia@example.com")).await;
        let accept = people.accept(hash, own(mia, "mia@example.com"));
        let accepted = people.world.store.accept_invite(accept).await.expect("stored");
        assert_eq!(accepted == Accepted::Full, number == MEMBERSHIPS_MAX, "{number}: {accepted:?}");
    }
}

pub async fn a_provider_lets_in_whom_it_vouches_for_and_takes_the_password_of_whoever_came_before(world: World) {
    let mut people = People::new(world).await;
    let mia = people.join(people.one, "mia@example.com", Role::Owner).await;
    let mut entry = |email: &str, subject: &str, newcomer| {
        let account = people.account(email);
        let session = people.session(account.id);
        let (issuer, subject) = ("https://id.example.com".to_owned(), subject.to_owned());
        Entry { issuer, subject, account, newcomer, session }
    };
    let (unknown, linked, again) = (
        entry("ann@example.com", "1", None),
        entry("mia@example.com", "2", None),
        entry("changed@example.com", "2", None),
    );
    let made = entry("ann@example.com", "1", Some((OrganizationId::from_parts(1, 1), Role::Viewer)));
    let store = &people.world.store;
    assert_eq!(store.enter(unknown).await, Ok(Entered::Unknown));
    let linked = store.enter(linked).await.expect("stored");
    assert!(matches!(&linked, Entered::Linked(account) if account.id == mia));
    assert_eq!(people.sessions(mia).await, 1, "the one that began by it");
    let record = store.find_account(&email_of("mia@example.com")).await.expect("read").expect("is there");
    assert_eq!(record.password_hash, None);
    assert!(
        matches!(store.enter(again).await, Ok(Entered::Known(account)) if account.id == mia),
        "whatever its address"
    );
    let newcomer = Entry { newcomer: Some((people.one, Role::Viewer)), ..made };
    assert!(matches!(store.enter(newcomer).await, Ok(Entered::Made(_))));
    assert_eq!(people.roles(people.one).await[0], ("ann@example.com".to_owned(), Some(Role::Viewer)));
}

pub async fn the_link_of_the_operator_is_good_once_and_a_new_one_ends_it(world: World) {
    let mut people = People::new(world).await;
    let former = people.invite(Seat::Operator, None).await;
    let link = people.invite(Seat::Operator, None).await;
    assert!(people.world.store.find_invite(former, START).await.expect("read").is_none());
    let by = people.newcomer("mia@example.com");
    let accept = people.accept(link, by);
    assert!(matches!(people.world.store.accept_invite(accept).await, Ok(Accepted::Accepted(mia)) if mia.operator));
    assert!(people.world.store.find_invite(link, START).await.expect("read").is_none());
    // Whoever has lost the password gets another by the next link.
    let link = people.invite(Seat::Operator, None).await;
    let by = AcceptBy::New { account: people.account("mia@example.com"), password_hash: "new".to_owned() };
    let accept = people.accept(link, by);
    let Ok(Accepted::Accepted(mia)) = people.world.store.accept_invite(accept).await else { panic!() };
    let record = people.world.store.find_account(&mia.email).await.expect("read").expect("is there");
    assert_eq!(record.password_hash.as_deref(), Some("new"));
    assert_eq!(people.sessions(mia.id).await, 1, "the others have ended");
}
