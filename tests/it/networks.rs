//! Networks: the list, one of them, making, joining, leaving, removing and pruning; who reaches whom; the host's ports.
//!
//! Others use the same engine, so nothing here prunes what it did not make itself.

use serde_json::{Value, json};

use crate::support::*;

fn row(id: &str) -> String {
    format!("tr[id='network-{id}']")
}

/// Two numbers of a subnet that no other test has: taken from the engine's own serial of names.
fn subnet(engine: &RealEngine, n: u8) -> String {
    let sum = engine.name("x").bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("10.{}.{}.{}/28", 130 + sum % 100, sum / 100 % 256, u32::from(n) * 16)
}

/// The address at this place of a subnet.
fn at(subnet: &str, place: u8) -> String {
    let (base, last) = subnet.trim_end_matches("/28").rsplit_once('.').expect("four numbers");
    format!("{base}.{}", last.parse::<u8>().expect("a number") + place)
}

async fn network(engine: &RealEngine, name: &str, line: &str) -> String {
    let mut args: Vec<String> = ["network", "create"].map(str::to_owned).to_vec();
    args.extend(shell_words::split(line).expect("a line"));
    let name = engine.name(name);
    args.push(name.clone());
    let told = engine.docker(&args).await;
    // Podman of old answers with the name.
    let id = engine.docker(&["network", "inspect", "-f", "{{.Id}}", &name]).await;
    engine.goes_too("network", if told.is_empty() { &name } else { &id });
    id
}

async fn inspect(engine: &RealEngine, id: &str) -> Value {
    let text = engine.docker(&["network", "inspect", id]).await;
    let value: Value = serde_json::from_str(&text).expect("JSON");
    value[0].clone()
}

#[tokio::test]
async fn a_network_says_who_is_on_it() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let range = subnet(&engine, 1);
        let shop = network(&engine, "shop", &format!("--subnet {range} --label team=shop")).await;
        let name = engine.name("shop");
        let web = engine.run("web", &format!("--network {name} --network-alias www busybox sleep 1000")).await;
        let stopped = engine.create("stopped", &format!("--network {name} busybox sleep 1000")).await;
        let console = Console::on(&engine).await;
        console.sees_network(&shop).await;
        console.sees_state(&web.id, "running").await;
        console.sees(&stopped.id).await;
        let page = console.get(&format!("/networks?q={name}")).await.expect(200);
        contains_all(&page.text(&row(&shop)), &[&name, "bridge", &range, "2", "1 stopped"]);
        assert!(page.has(&format!("{} a[href='/networks/{shop}']", row(&shop))), "an id, no name, is the address");
        assert!(console.get("/networks?q=team%3Dshop").await.has(&row(&shop)), "labels are searched");
        assert!(console.get(&format!("/networks?show=used&q={name}")).await.has(&row(&shop)));
        assert!(!console.get(&format!("/networks?show=unused&q={name}")).await.has(&row(&shop)));
        assert!(!console.get(&format!("/networks?driver=macvlan&q={name}")).await.has(&row(&shop)));
        assert_eq!(console.get("/networks").await.commands()[0], "docker network ls");
        let one = console.get(&format!("/networks/{shop}")).await.expect(200);
        let member = one.text(&format!("tr[data-name='{}']", web.name));
        contains_all(&member, &[&web.name, "running", "www", ":"]);
        let address = engine.inspect(&web.id).await["NetworkSettings"]["Networks"][&name]["IPAddress"].clone();
        contains_all(&member, &[address.as_str().expect("an address")]);
        contains_all(&one.text("main"), &[&stopped.name, "2 containers, 1 of them running", &range, "team=shop"]);
        assert_eq!(one.commands()[0], format!("docker network inspect {name}"));
        let raw = console.get(&format!("/networks/{shop}/inspect.json")).await.expect(200);
        assert_eq!(raw.json()["Id"], Value::String(shop.clone()));
        let data = console.ask("GET", &format!("/networks/{shop}")).header("accept", "application/json").send().await;
        assert_eq!(data.json()["members"].as_array().map(Vec::len), Some(2), "{}", data.body);
        // From the container's page, too.
        let container = console.get(&web.path("")).await.expect(200);
        assert!(container.has(&format!("#detail a[href='/networks/{shop}']")), "the container leads to its network");
    }
}

#[tokio::test]
async fn the_list_lives() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "--network none busybox sleep 1000").await;
    engine.docker(&["network", "disconnect", "none", &web.id]).await;
    let console = Console::on(&engine).await;
    console.sees_state(&web.id, "running").await;
    let mut stream = console.stream(&format!("/networks/stream?q={}", engine.name("live"))).await;
    let id = network(&engine, "live", "").await;
    stream.until("the new one is there", |data| data.contains(&row(&id)[7..row(&id).len() - 2])).await;
    let mut page = console.stream(&format!("/networks/{id}/stream")).await;
    page.until("nobody is on it", |data| data.contains("Nobody")).await;
    engine.docker(&["network", "connect", "--alias", "www", &id, &web.id]).await;
    stream.until("its member is counted", |data| data.contains("data-label=\"Members\">1")).await;
    page.until("it is on the page, with its alias", |data| data.contains(&web.name) && data.contains("www")).await;
    engine.docker(&["network", "disconnect", &id, &web.id]).await;
    stream.until("and is no more", |data| data.contains("nobody")).await;
    engine.docker(&["network", "rm", &id]).await;
    stream.until("it is gone", |data| data.contains("No network matches")).await;
    page.until("its page says so", |data| data.contains("not there any more")).await;
}

#[tokio::test]
async fn making_one_with_all_that_it_can_have() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let (name, range) = (engine.name("made"), subnet(&engine, 2));
        let (gateway, part) = (at(&range, 1), format!("{}/29", at(&range, 8)));
        let form = [
            ("name", &*name),
            ("driver", "bridge"),
            ("subnet", &range),
            ("gateway", &gateway),
            ("ip-range", &part),
            ("subnet", ""),
            ("gateway", ""),
            ("ip-range", ""),
            ("internal", "1"),
            ("label-name", "team"),
            ("label-value", "shop & co"),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let draft = console.get(&format!("/networks/new?{query}")).await.expect(200);
        let shown = draft.commands()[0].clone();
        assert_eq!(
            shown,
            format!(
                "docker network create -d bridge --subnet {range} --gateway {gateway} --ip-range {part} --internal --label 'team=shop & co' {name}"
            )
        );
        let path = console.post("/networks", &form).await.leads_to();
        let id = path.trim_start_matches("/networks/").to_owned();
        engine.goes_too("network", &id);
        let ours = inspect(&engine, &id).await;
        assert_eq!(ours["Labels"], json!({"team": "shop & co"}));
        assert_eq!(ours["Internal"], json!(true));
        let config = &ours["IPAM"]["Config"][0];
        assert_eq!((&config["Subnet"], &config["Gateway"]), (&json!(range), &json!(gateway)));
        contains_all(
            &console.get(&path).await.expect(200).text("main"),
            &[&range, "team=shop & co", "nothing leads out"],
        );
        // The command that was shown makes the same.
        engine.docker(&["network", "rm", &id]).await;
        engine.shell(&shown).await;
        let theirs = inspect(&engine, &name).await;
        engine.goes_too("network", &name);
        for part in ["Labels", "Internal", "IPAM", "Driver", "EnableIPv6"] {
            let of = |value: &Value| if part == "IPAM" { value[part]["Config"].clone() } else { value[part].clone() };
            assert_eq!(of(&theirs), of(&ours), "{part}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_before_the_engine_is_asked() {
    let engine = RealEngine::docker28();
    let range = subnet(&engine, 3);
    let taken = network(&engine, "taken", &format!("--subnet {range}")).await;
    let spy = crate::support::proxy::FaultProxy::before(&engine.socket);
    let console = Console::start(spy.socket()).ready().await;
    console.sees_network(&taken).await;
    let before = spy.writes();
    let name = engine.name("new");
    for (fields, place, words) in [
        (vec![("name", "")], "name", "needs a name"),
        (vec![("name", "../x")], "name", "starts with a letter"),
        (vec![("name", &*name), ("subnet", "10.1.0.0")], "range-0", "no range of addresses"),
        (vec![("name", &name), ("gateway", "10.1.0.1")], "range-0", "within a subnet"),
        (vec![("name", &name), ("subnet", "10.1.0.0/16"), ("gateway", "10.2.0.1")], "range-0", "no address in"),
        (vec![("name", &name), ("subnet", "10.1.0.0/16"), ("ip-range", "10.2.0.0/24")], "range-0", "no part of"),
        (vec![("name", &name), ("subnet", "fd00:9::/64")], "range-0", "IPv6"),
        (vec![("name", &name), ("subnet", "10.1.0.0/16"), ("subnet", "10.1.2.0/24")], "range-1", "overlaps"),
        (vec![("name", &name), ("option-name", ""), ("option-value", "lonely")], "option", "has no name"),
    ] {
        let page = console.post("/networks", &fields).await.expect(422);
        assert_eq!(page.attributes("#errors a", "href"), [format!("#f-{place}")], "{fields:?}");
        contains_all(&page.text(&format!("#f-{place}, div:has(> #f-{place})")), &[words]);
    }
    // What overlaps names the network that has it, and leads there; so does a name that is taken.
    let page = console.post("/networks", &[("name", &name), ("subnet", &range)]).await.expect(422);
    contains_all(&page.text("#f-range-0"), &["overlaps", &range, &engine.name("taken")]);
    assert!(page.has(&format!("#f-range-0 .error a[href='/networks/{taken}']")));
    let page = console.post("/networks", &[("name", &engine.name("taken"))]).await.expect(409);
    assert!(page.has(&format!(".field .error a[href='/networks/{taken}']")));
    assert_eq!(spy.writes(), before, "the engine was asked");
    // What only the engine knows stands at its field, too.
    let page = console.post("/networks", &[("name", &name), ("driver", "nope")]).await;
    assert_eq!(page.attributes("#errors a", "href"), ["#f-driver"], "{}", page.said());
}

#[tokio::test]
async fn joining_and_leaving() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let (first, range) = (network(&engine, "first", "").await, subnet(&engine, 4));
        let shop = network(&engine, "shop", &format!("--subnet {range}")).await;
        let line = format!("--network {} busybox sleep 1000", engine.name("first"));
        let (web, other) = (engine.run("web", &line).await, engine.run("other", &line).await);
        let console = Console::on(&engine).await;
        console.sees_network(&shop).await;
        console.sees_state(&web.id, "running").await;
        console.sees_state(&other.id, "running").await;
        let address = at(&range, 5);
        let fields =
            [("network", &*shop), ("container", &web.id), ("alias", "db, store"), ("ip", &address), ("ip6", "")];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let draft = console.get(&format!("/networks/connect?{query}")).await.expect(200);
        let name = engine.name("shop");
        assert_eq!(
            draft.commands()[0],
            format!("docker network connect --alias db --alias store --ip {address} {name} {}", web.name)
        );
        assert_eq!(console.post("/networks/connect", &fields).await.leads_to(), format!("/networks/{shop}"));
        let at_shop = engine.inspect(&web.id).await["NetworkSettings"]["Networks"][&name].clone();
        assert_eq!(at_shop["IPAddress"], json!(address));
        let aliases = at_shop["Aliases"].to_string();
        contains_all(&aliases, &["db", "store"]);
        let one = console.get(&format!("/networks/{shop}")).await.expect(200);
        contains_all(&one.text(&format!("tr[data-name='{}']", web.name)), &[&address, "db", "store"]);
        // Twice, with an address that is taken, outside, or none at all.
        for (container, field, value, words) in [
            (&web.id, "ip", "", "already"),
            (&other.id, "ip", &*address, &*web.name),
            (&other.id, "ip", "10.255.255.1", "is not in"),
            (&other.id, "ip", "x", "no address"),
            (&other.id, "ip6", "10.1.1.1", "no address"),
        ] {
            let fields = [("network", &*shop), ("container", container), (field, value)];
            let page = console.post("/networks/connect", &fields).await.expect(422);
            contains_all(&page.text("main"), &["Nothing was connected", words]);
        }
        let pair = [("network", &*shop), ("container", &web.id)];
        let query = format!("/networks/disconnect?network={shop}&container={}", web.id);
        let question = console.get(&query).await.expect(200);
        assert_eq!(question.commands()[0], format!("docker network disconnect {name} {}", web.name));
        assert_eq!(console.post("/networks/disconnect", &pair).await.leads_to(), format!("/networks/{shop}"));
        let left = engine.inspect(&web.id).await;
        assert!(left["NetworkSettings"]["Networks"].get(&name).is_none(), "{left}");
        contains_all(&console.get(&format!("/networks/{shop}")).await.text("main"), &["Nobody"]);
        console.get(&format!("/networks/{first}")).await.expect(200);
    }
}

#[tokio::test]
async fn s079_a_refusal_names_who_is_on_it() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let shop = network(&engine, "shop", "").await;
        let web = engine.run("web", &format!("--network {} busybox sleep 1000", engine.name("shop"))).await;
        let console = Console::on(&engine).await;
        console.expect_log("");
        console.sees_network(&shop).await;
        console.sees_state(&web.id, "running").await;
        let question = console.get(&format!("/networks/{shop}/remove")).await.expect(200);
        contains_all(&question.text("#confirm"), &["In the way", &web.name]);
        let page = console.post(&format!("/networks/{shop}/remove"), &[]).await.expect(409);
        contains_all(&page.text("main"), &["was not removed", &web.name, "running"]);
        assert!(page.has(&format!("a[href='{}']", web.path(""))), "it is linked");
        let leave = format!("/networks/disconnect?network={shop}&container={}", web.id);
        assert!(page.attributes("main a", "href").contains(&leave), "and how it leaves");
        // The engine's own cannot be removed, and say why.
        let list = console.get("/networks?show=predefined").await.expect(200);
        let own = list.attributes("tr .name", "href");
        assert!(!own.is_empty() && !list.has("tr a[href$='/remove']"), "it is not offered");
        for path in own {
            for answer in
                [console.get(&format!("{path}/remove")).await, console.post(&format!("{path}/remove"), &[]).await]
            {
                contains_all(&answer.expect(403).text("main"), &["predefined"]);
            }
        }
        engine.docker(&["rm", "-f", &web.id]).await;
        console.misses(&web.id).await;
        assert_eq!(console.post(&format!("/networks/{shop}/remove"), &[]).await.leads_to(), "/networks");
        assert!(engine.try_docker(&["network", "inspect", &shop]).await.is_err());
        console.get(&format!("/networks/{shop}")).await.expect(404);
    }
}

#[tokio::test]
async fn pruning_removes_the_list_that_was_shown() {
    let engine = RealEngine::docker28();
    let (free, held, joined) =
        (network(&engine, "free", "").await, network(&engine, "held", "").await, network(&engine, "joined", "").await);
    let stopped = engine.create("stopped", &format!("--network {} busybox sleep 1000", engine.name("held"))).await;
    let web = engine.run("web", "busybox sleep 1000").await;
    let console = Console::on(&engine).await;
    console.expect_log("");
    for id in [&free, &held, &joined] {
        console.sees_network(id).await;
    }
    console.sees(&stopped.id).await;
    let listed = |page: &Answer| page.attributes("input[name='id']", "value");
    let page = console.get("/networks/prune").await.expect(200);
    let ids = listed(&page);
    assert!(ids.contains(&free) && ids.contains(&joined) && !ids.contains(&held), "a stopped one keeps its network");
    contains_all(&page.text("#confirm"), &[&engine.name("held"), &stopped.name]);
    let page = console.get("/networks/prune?all=1").await.expect(200);
    assert!(listed(&page).contains(&held), "docker's own way takes it");
    assert_eq!(page.commands()[0], "docker network prune");
    // Somebody joins one meanwhile: it stays, and the answer says so.
    engine.docker(&["network", "connect", &joined, &web.id]).await;
    let fields = [("listed", "1"), ("all", "0"), ("id", &*free), ("id", &joined), ("id", &held)];
    let answer = console.post("/networks/prune", &fields).await.expect(409);
    contains_all(&answer.text("main"), &["2 of 3 networks stayed", &engine.name("joined"), &engine.name("held")]);
    assert!(engine.try_docker(&["network", "inspect", &free]).await.is_err(), "it is gone");
    for id in [&joined, &held] {
        inspect(&engine, id).await;
    }
    // An empty list is nothing, not everything.
    console.post("/networks/prune", &[("listed", "1")]).await;
    inspect(&engine, &joined).await;
}

#[tokio::test]
async fn s024_hostile_names_act_on_their_id() {
    let engine = RealEngine::docker28();
    let web = engine.run("web", "busybox sleep 1000").await;
    let mut all = Vec::new();
    let tail = engine.name("h");
    for name in [format!("{PAY}{tail}"), format!("a\r\nb{tail}"), format!("../containers/x{tail}"), "..".to_owned()] {
        all.push((engine.network(&name).await, name));
    }
    let spy = crate::support::proxy::FaultProxy::before(&engine.socket);
    let console = Console::start(spy.socket()).ready().await;
    console.sees_state(&web.id, "running").await;
    for (id, name) in &all {
        console.sees_network(id).await;
        for path in [
            format!("/networks?q={id}"),
            format!("/networks/{id}"),
            format!("/networks/{id}/remove"),
            format!("/networks/connect?network={id}"),
            "/networks/map?all=1".to_owned(),
            "/networks/prune".to_owned(),
        ] {
            let page = console.get(&path).await.expect(200);
            assert!(!page.has("main img, main script"), "{name:?} is text on {path}");
        }
        let pair = [("network", &**id), ("container", &web.id)];
        assert_eq!(console.post("/networks/connect", &pair).await.leads_to(), format!("/networks/{id}"));
        assert_eq!(inspect(&engine, id).await["Containers"].as_object().map(serde_json::Map::len), Some(1));
        let map = console.get("/networks/map").await.expect(200);
        assert!(!map.has("main img"), "{name:?} is text in the picture");
        console.get(&format!("/networks/disconnect?network={id}&container={}", web.id)).await.expect(200);
        assert_eq!(console.post("/networks/disconnect", &pair).await.leads_to(), format!("/networks/{id}"));
        assert_eq!(console.post(&format!("/networks/{id}/remove"), &[]).await.leads_to(), "/networks");
        assert!(engine.try_docker(&["network", "inspect", id]).await.is_err(), "{name:?} is gone");
        assert!(spy.count(&format!("/networks/{id}")) > 0);
    }
    assert_eq!(spy.count("/networks/.."), 0, "no name stands in a path");
    assert_eq!(engine.state(&web.id).await, "running");
}

#[tokio::test]
async fn s033_what_is_no_id_is_no_network() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let id = "a".repeat(64);
    for bad in ["bridge", "..%2Fvolumes%2Fv", "%2e%2e", &id[1..], &format!("{id}0"), &format!("{}%3F", &id[1..])] {
        let answer = console.get(&format!("/networks/{bad}")).await;
        assert!(matches!(answer.status, 400 | 404), "{bad}: {}", answer.status);
        let answer = console.post(&format!("/networks/{bad}/remove"), &[]).await;
        assert!(matches!(answer.status, 400 | 404), "{bad}: {}", answer.status);
    }
    console.get(&format!("/networks/{id}")).await.expect(404);
    console.post("/networks/connect", &[("network", "bridge"), ("container", "web")]).await.expect(422);
    console.post("/networks/disconnect", &[("network", "bridge"), ("container", "web")]).await.expect(404);
}

#[tokio::test]
async fn s041_s042_networks_of_others() {
    let engine = RealEngine::docker28();
    let theirs = network(&engine, "theirs", "--label team=blue").await;
    let shared = network(&engine, "shared", "").await;
    let on = |name: &str| format!("--network {}", engine.name(name));
    let ours = engine.run("ours", &format!("--label team=red {} busybox sleep 1000", on("shared"))).await;
    let blue = engine.run("blue", &format!("--label team=blue {} busybox sleep 1000", on("shared"))).await;
    let console = Console::administered(&engine.socket).await;
    console.expect_log("");
    let admin = console.admin().await;
    let red = console.hire(&admin, "red", "operator", "label:team=red").await;
    console.sees_as(&red, &ours.id).await;
    let get = async |path: &str| console.by(&red, "GET", path).send().await;
    let post = async |path: &str, fields: &[(&str, &str)]| console.by(&red, "POST", path).form(fields).send().await;
    assert!(!get(&format!("/networks?q={theirs}")).await.has(&row(&theirs)), "it is not seen");
    get(&format!("/networks/{theirs}")).await.expect(404);
    post(&format!("/networks/{theirs}/remove"), &[]).await.expect(404);
    // One that something of theirs is on is seen, without the others there, and is not theirs to remove.
    let page = get(&format!("/networks/{shared}")).await.expect(200);
    contains_all(&page.text("main"), &[&ours.name, "Others may be on it"]);
    assert!(!page.body.contains(&blue.name) && !page.body.contains(&blue.id), "{}", page.body);
    for path in ["/networks/map?all=1", "/networks/ports", &format!("/networks/{shared}/inspect.json")] {
        assert!(!get(path).await.expect(200).body.contains(&blue.name), "{path}");
    }
    post(&format!("/networks/{shared}/remove"), &[]).await.expect(403);
    let fields = [("network", &*shared), ("container", &blue.id)];
    post("/networks/disconnect", &fields).await.expect(404);
    post("/networks/connect", &[("network", &theirs), ("container", &ours.id)]).await.expect(422);
    // What they make is theirs, by its label; nothing that reaches into the host's network.
    let name = engine.name("red");
    for (field, value) in [("driver", "macvlan"), ("option", "parent=eth0"), ("subnet", "8.8.8.0/24")] {
        post("/networks", &[("name", &name), (field, value)]).await.expect(403);
    }
    let path = post("/networks", &[("name", &name)]).await.leads_to();
    let id = path.trim_start_matches("/networks/");
    engine.goes_too("network", id);
    assert_eq!(inspect(&engine, id).await["Labels"], json!({"team": "red"}));
    post(&format!("{path}/remove"), &[]).await.expect(303);
}

#[tokio::test]
async fn the_map_says_who_reaches_whom() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        network(&engine, "front", "").await;
        network(&engine, "back", "--internal").await;
        let stack = engine.name("stack");
        let run = async |name: &str, line: &str| {
            engine.run(name, &format!("--label com.docker.compose.project={stack} {line} busybox sleep 1000")).await
        };
        let web = run("web", &format!("--network {}", engine.name("front"))).await;
        let api = run("api", &format!("--network {}", engine.name("front"))).await;
        let db = run("db", &format!("--network {}", engine.name("back"))).await;
        engine.docker(&["network", "connect", &engine.name("back"), &api.id]).await;
        let beside = run("beside", &format!("--network container:{}", db.name)).await;
        let console = Console::on(&engine).await;
        for made in [&web, &api, &db, &beside] {
            console.sees_state(&made.id, "running").await;
        }
        let path = format!("/networks/map?stack={stack}");
        let page = console.get(&path).await.expect(200);
        let of = |made: &Made| page.text(&format!("tr[id='reach-{}']", made.id));
        contains_all(&of(&web), &[&api.name, "yes"]);
        assert!(!of(&web).contains(&db.name), "web and db share no network");
        contains_all(&of(&api), &[&web.name, &db.name, "yes"]);
        contains_all(&of(&db), &[&api.name, "no"]);
        contains_all(&of(&beside), &["beside", &db.name, &api.name]);
        // The picture has the same lines: one for each container on each network.
        assert_eq!(page.attributes(".map .line", "d").len(), 5);
        for made in [&web, &api, &db, &beside] {
            assert!(page.has(&format!(".map a[href='{}']", made.path(""))), "{} is drawn", made.name);
        }
        assert_eq!(page.attributes(".map .hub", "x").len(), 2);
        assert_eq!(page.attributes(".map .internal", "x").len(), 1);
        let data = console.ask("GET", &path).header("accept", "application/json").send().await.json();
        assert_eq!(data["total"], 4);
        let found = data["items"].as_array().into_iter().flatten().find(|item| item["name"] == db.name.as_str());
        assert_eq!(found.expect("it is there")["outside"], false);
    }
}

#[tokio::test]
async fn ports_of_the_host_and_who_else_wants_them() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let has = engine.run("has", "-p 127.0.0.1::80 busybox sleep 1000").await;
        let bound = engine.inspect(&has.id).await["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"].clone();
        let port = bound.as_str().expect("a port").to_owned();
        let wants = engine.create("wants", &format!("-p {port}:8080 busybox sleep 1000")).await;
        let apart =
            engine.create("apart", &format!("-p {port}:80/udp -p 127.0.0.9:{port}:80 busybox sleep 1000")).await;
        let console = Console::on(&engine).await;
        console.sees_state(&has.id, "running").await;
        console.sees(&wants.id).await;
        console.sees(&apart.id).await;
        let page = console.get("/networks/ports").await.expect(200);
        let of = |page: &Answer, made: &Made| page.texts(&format!("tr[data-of='{}'][data-port='{port}']", made.name));
        contains_all(&of(&page, &has).join(" "), &["127.0.0.1", "80/tcp", "running", "conflict", &wants.name]);
        contains_all(&of(&page, &wants).join(" "), &["8080/tcp", "created", "conflict", &has.name]);
        assert!(
            !of(&page, &has).join(" ").contains(&apart.name),
            "another address and another protocol are no conflict"
        );
        assert_eq!(of(&page, &apart).len(), 2);
        let links = page.attributes(&format!("tr[data-of='{}'] a[target]", has.name), "href");
        assert_eq!(links, [format!("http://127.0.0.1:{port}/")], "it leads where it listens");
        let only = console.get("/networks/ports?conflicts=1").await.expect(200);
        assert_eq!((of(&only, &has).len(), of(&only, &wants).len()), (1, 1));
        let ask = console.ask("GET", "/networks/ports").header("accept", "application/json");
        let items = ask.send().await.json()["items"].clone();
        let item = items.as_array().into_iter().flatten().find(|item| item["container"] == wants.id.as_str());
        assert!(item.expect("it is there")["conflicts"].to_string().contains(&has.name));
    }
}
