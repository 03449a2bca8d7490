//! People at the real server: the link, the roles, the invites, the sessions, and what comes of mistakes.

use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, PASSWORD, Person, Server, operator, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");

struct Scene {
    server: Server,
    operator: Api,
    organization: String,
    project: String,
}

async fn begin() -> Scene {
    let server = Server::start(BINARY).await;
    let operator = operator(&server);
    let made = operator.post("/organizations", &json!({"name": "Acme"})).await.expect(201);
    let [organization, project] = ["id", "default_project_id"].map(|member| text(&made, member));
    Scene { server, operator, organization, project }
}

impl Scene {
    async fn member(&self, email: &str, role: &str) -> Person {
        Person::member(&self.server, &self.organization, email, role).await
    }

    /// The members as the operator sees them: ids by address.
    async fn id_of(&self, email: &str) -> String {
        let acting = self.operator.clone().with_header("x-organization-id", &self.organization);
        let members = acting.get("/members").await.expect(200);
        let all = members["data"].as_array().expect("a list").clone();
        let found = all.iter().find(|member| member["email"] == email);
        text(found.unwrap_or_else(|| panic!("{email} is not in {members}")), "id")
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {value}")).to_owned()
}

fn shows(answer: &Answer, words: &str) -> bool {
    String::from_utf8_lossy(&answer.body).contains(words)
}

fn leads_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer}");
    answer.header("location").unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_link_makes_one_operator_and_is_lost_with_the_next() {
    let scene = begin().await;
    let links = [(); 2].map(|()| async { scene.operator.post("/start-links", &json!({})).await.expect(201) });
    let [former, link] = links;
    let (former, link) = (former.await, link.await);
    let token = |link: &Value| text(link, "start_url").split_once('#').expect("a token").1.to_owned();
    let mut person = Person::stranger(&scene.server);
    let form = |token: &str, email: &str, password: &str| {
        [("token", token.to_owned()), ("email", email.to_owned()), ("password", password.to_owned())]
    };
    for (token, email, password, status) in [
        (token(&former), "mia@example.com", PASSWORD, 404),
        (token(&link), "mia", PASSWORD, 422),
        (token(&link), "mia@example.com", "short", 422),
        (token(&link), "mia@example.com", PASSWORD, 303),
        (token(&link), "eve@example.com", PASSWORD, 404),
    ] {
        let fields = form(&token, email, password);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = person.post("/start", &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{email}: {answer}");
        assert!(!shows(&answer, password), "a password is never drawn");
    }
    // It is one of the audit log, without the token.
    let log = scene.operator.get("/audit-log?limit=100").await.expect(200).to_string();
    assert!(log.contains("start_link.create") && log.contains("invite.accept") && !log.contains(&token(&link)));
    assert!(!scene.server.log().contains(&token(&link)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_do_what_their_table_says() {
    let scene = begin().await;
    let webhooks = format!("/p/{}/webhooks", scene.project);
    for (role, sees, invites) in
        [("viewer", true, false), ("developer", true, false), ("admin", true, true), ("owner", true, true)]
    {
        let mut person = scene.member(&format!("{role}@example.com"), role).await;
        assert_eq!(person.get(&webhooks).await.status == 200, sees, "{role}");
        let invite = [("email", "new@example.com"), ("role", "viewer"), ("of", scene.organization.as_str())];
        let invited = person.post("/settings/members", &invite).await;
        assert_eq!(invited.status == 200, invites, "{role}: {invited}");
        assert_eq!(shows(&invited, "/invite/"), invites, "{role}");
        let owner = [("email", "boss@example.com"), ("role", "owner"), ("of", scene.organization.as_str())];
        let invited = person.post("/settings/members", &owner).await;
        assert_eq!(invited.status == 200, role == "owner", "{role}: {invited}");
        assert_eq!(person.get("/operator/accounts").await.status, 403, "{role}");
    }
    // Another organization's project is as good as none.
    let stranger = scene.operator.post("/organizations", &json!({"name": "Shop"})).await.expect(201);
    let foreign = text(&stranger, "default_project_id");
    let owner = Person::member(&scene.server, &scene.organization, "second@example.com", "owner").await;
    let answer = owner.get(&format!("/p/{foreign}/webhooks")).await;
    let missing = owner.get(&format!("/p/{}/webhooks", scene.project.replace("prj_0", "prj_1"))).await;
    assert_eq!((answer.status.as_u16(), missing.status.as_u16()), (404, 404));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_made_and_unmade_by_owners_and_the_last_one_stays() {
    let scene = begin().await;
    let (mut owner, mut admin) =
        (scene.member("owner@example.com", "owner").await, scene.member("admin@example.com", "admin").await);
    let (owner_id, admin_id) = (scene.id_of("owner@example.com").await, scene.id_of("admin@example.com").await);
    let key = organization_key(&scene.operator, &scene.organization, &json!({"name": "admin"})).await;
    let organization = [("of", scene.organization.as_str())];
    let to = |role: &'static str| [("role", role), organization[0]];
    let path = |id: &str| format!("/settings/members/{id}");

    // Whoever is no owner leaves owners alone: admins, and keys with all scopes.
    assert_eq!(admin.post(&path(&owner_id), &to("viewer")).await.status, 403);
    assert_eq!(admin.post(&path(&admin_id), &to("owner")).await.status, 403);
    assert_eq!(admin.post(&format!("{}/remove", path(&owner_id)), &organization).await.status, 403);
    let refused = key.patch(&format!("/members/{owner_id}"), &json!({"role": "viewer"})).await;
    assert_eq!(refused.expect(403)["code"], "insufficient_scope");
    key.patch(&format!("/members/{admin_id}"), &json!({"role": "developer"})).await.expect(200);
    assert_eq!(admin.post("/settings/members", &to("viewer")).await.status, 403, "it counts from the next page on");

    // The last one stays, whoever asks.
    let acting = scene.operator.clone().with_header("x-organization-id", &scene.organization);
    let last = acting.patch(&format!("/members/{owner_id}"), &json!({"role": "admin"})).await;
    assert_eq!(last.expect(409)["code"], "last_owner");
    assert_eq!(acting.delete(&format!("/members/{owner_id}")).await.expect(409)["code"], "last_owner");
    leads_to(&owner.post(&path(&admin_id), &to("owner")).await);
    leads_to(&admin.post(&format!("{}/remove", path(&owner_id)), &organization).await);
    assert!(leads_to(&owner.get(&format!("/p/{}", scene.project)).await).starts_with("/login"), "no account is left");
    let unknown = acting.patch(&format!("/members/{owner_id}"), &json!({"role": "admin"})).await;
    assert_eq!(unknown.expect(404)["code"], "not_found");
    acting
        .patch(&format!("/members/{admin_id}"), &json!({"role": "boss"}))
        .await
        .expect_problem(422, "validation_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_is_a_link_for_one() {
    let scene = begin().await;
    let acting = scene.operator.clone().with_header("x-organization-id", &scene.organization);
    let invite = json!({"email": "Mia@Example.com", "role": "developer"});
    let first = acting.post("/members", &invite).await.expect(201);
    let second = acting.post("/members", &invite).await.expect(201);
    let listed = acting.get("/invites").await.expect(200);
    assert_eq!((listed["total"].as_u64(), &listed["data"][0]["email"]), (Some(1), &json!("mia@example.com")));
    assert!(listed["data"][0].get("invite_url").is_none());
    let mut mia = Person::stranger(&scene.server);
    assert_eq!(mia.accept(&text(&first, "invite_url"), "Mia").await.status, 404, "another took its place");
    let link = text(&second, "invite_url");
    let page = mia.get(&link[link.find("/invite/").expect("a link of an invite")..]).await;
    assert!(shows(&page, "Join Acme") && shows(&page, "mia@example.com") && shows(&page, "developer"), "{page}");
    assert_eq!(leads_to(&mia.accept(&text(&second, "invite_url"), "Mia").await), "/");
    assert_eq!(Person::stranger(&scene.server).accept(&text(&second, "invite_url"), "Eve").await.status, 404, "once");
    let seen = mia.get("/settings/members").await;
    assert!(shows(&seen, "mia@example.com") && shows(&seen, "Acme"), "{seen}");

    // Withdrawn is withdrawn; what is wrong is said beside each field.
    let third = acting.post("/members", &json!({"email": "ann@example.com", "role": "viewer"})).await.expect(201);
    acting.delete(&format!("/invites/{}", text(&third, "id"))).await.expect(204);
    assert_eq!(Person::stranger(&scene.server).accept(&text(&third, "invite_url"), "Ann").await.status, 404);
    let wrong = acting.post("/members", &json!({"email": "ann", "role": "boss"})).await;
    let problem = wrong.expect_problem(422, "validation_failed");
    let fields: Vec<_> = problem.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["email", "role"]);
    let key = organization_key(&scene.operator, &scene.organization, &json!({"name": "admin"})).await;
    key.post("/members", &json!({"email": "ann@example.com", "operator": true}))
        .await
        .expect_problem(422, "validation_failed");
    assert_eq!(key.get("/members?operator=true").await.expect(403)["code"], "insufficient_scope");
    // Somebody with an account accepts with its password.
    let shop = scene.operator.post("/organizations", &json!({"name": "Shop"})).await.expect(201);
    let shop = scene.operator.clone().with_header("x-organization-id", &text(&shop, "id"));
    let more = shop.post("/members", &json!({"email": "mia@example.com", "role": "viewer"})).await.expect(201);
    let mut again = Person::stranger(&scene.server);
    assert_eq!(leads_to(&again.accept(&text(&more, "invite_url"), "Somebody else").await), "/");
    assert!(shows(&again.get("/settings/account").await, "Mia"), "the account is the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_new_at_each_sign_in_and_end() {
    let scene = begin().await;
    let mut one = scene.member("mia@example.com", "viewer").await;
    let planted = one.cookie().expect("signed in").to_owned();
    let mut two = one.in_another_window(&scene.server);
    assert_eq!(leads_to(&two.sign_in("MIA@example.com", PASSWORD).await), "/");
    assert_ne!(two.cookie(), Some(planted.as_str()), "a session of its own");
    let page = two.get("/settings/account").await;
    assert!(shows(&page, "a test") && shows(&page, "127.0.0.1"), "{page}");
    assert_eq!(page.header("cache-control"), Some("no-store"));

    // Another password ends the others; the present one is asked for.
    let change = |present: &'static str| [("password", present), ("new_password", "another horse battery")];
    assert_eq!(two.post("/settings/account/password", &change("wrong horse battery")).await.status, 422);
    leads_to(&two.post("/settings/account/password", &change(PASSWORD)).await);
    assert!(leads_to(&one.get("/settings/account").await).starts_with("/login?next=%2Fsettings%2Faccount"));
    assert_eq!(one.sign_in("mia@example.com", PASSWORD).await.status, 401);
    leads_to(&one.sign_in("mia@example.com", "another horse battery").await);
    leads_to(&two.post("/settings/account/end-others", &[]).await);
    assert!(leads_to(&one.get("/settings/account").await).starts_with("/login"));
    let cookie = two.in_another_window(&scene.server);
    assert_eq!(leads_to(&two.post("/logout", &[]).await), "/login");
    assert!(leads_to(&cookie.get("/settings/account").await).starts_with("/login"), "the token is worth nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_slow_down_and_nobody_learns_who_has_an_account() {
    let scene = begin().await;
    scene.member("mia@example.com", "viewer").await;
    let mut stranger = Person::stranger(&scene.server);
    for email in ["mia@example.com", "nobody@example.com"] {
        let mut texts = Vec::new();
        for _ in 0..5 {
            let answer = stranger.sign_in(email, "wrong horse battery").await;
            assert_eq!(answer.status, 401, "{email}");
            texts.push(String::from_utf8_lossy(&answer.body).replace(email, "EMAIL"));
        }
        assert!(texts.iter().all(|text| text.contains("The email address or the password is wrong.")), "{texts:?}");
        let slowed = stranger.sign_in(email, PASSWORD).await;
        assert_eq!(slowed.status, 429, "{email}");
        let wait: u64 = slowed.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
        assert!((1..=12).contains(&wait), "{wait}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_drawn_for_another_organization_changes_nothing() {
    let scene = begin().await;
    let mut owner = scene.member("owner@example.com", "owner").await;
    let invite = [("email", "ann@example.com"), ("role", "viewer"), ("of", "org_of_somebody_else")];
    assert_eq!(owner.post("/settings/members", &invite).await.status, 409);
    let acting = scene.operator.clone().with_header("x-organization-id", &scene.organization);
    assert_eq!(acting.get("/invites").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_a_page_for_people_and_an_error_for_programs() {
    let scene = begin().await;
    let ann = scene.member("ann@example.com", "viewer").await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (person, shows) in [(&Person::stranger(&scene.server), "Go to the dashboard"), (&ann, "Sign out")] {
        for path in ["/nothing", "/webhook/s", "/docs/nothing", "/p-x", "/%22%3E%3Cscript%3E"] {
            let page = person.get_as(path, browser).await;
            let text = String::from_utf8_lossy(&page.body).into_owned();
            assert_eq!(page.status, 404, "{path}: {page}");
            assert!(text.contains("There is no such page") && text.contains(shows), "{path}: {text}");
            assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("script-src 'self'")));
            for accept in ["*/*", "application/json", ""] {
                person.get_as(path, accept).await.expect_problem(404, "not_found");
            }
        }
        // Programs have paths of their own, whatever they say they take.
        for path in ["/api/v1/nothing", "/api/v2", "/hook/a/b", "/in/a/b", "/compat/x", "/.well-known/x", "/webhooks/x"]
        {
            person.get_as(path, browser).await.expect_problem(404, "not_found");
        }
    }
    let posted = Person::stranger(&scene.server).post("/nothing", &[]).await;
    posted.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_page_of_another_organizations_project() {
    let scene = begin().await;
    let ann = scene.member("ann@example.com", "owner").await;
    let other = scene.operator.post("/organizations", &json!({"name": "Others"})).await.expect(201);
    let project = text(&other, "default_project_id");
    let api = scene.operator.clone().with_header("x-project-id", &project);
    let hidden = json!({"name": "Hidden hook", "url": "http://127.0.0.1:9/hook"});
    let webhook = text(&api.post("/webhooks", &hidden).await.expect(201), "id");
    let own = &scene.project;
    assert_eq!(ann.get(&format!("/p/{own}/webhooks")).await.status, 200);
    for place in ["", "/webhooks", "/deliveries", "/events", "/commands", "/sources", "/settings", "/live"] {
        let page = ann.get(&format!("/p/{project}{place}")).await;
        assert!(page.status == 404 && !shows(&page, "Hidden hook"), "{place}: {page}");
    }
    for project in [own, &project] {
        let page = ann.get(&format!("/p/{project}/webhooks/{webhook}")).await;
        assert!(page.status == 404 && !shows(&page, "Hidden hook"), "{page}");
    }
}
