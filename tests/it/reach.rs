//! How far somebody's hand goes, asked of the engine itself, past every page: S036 to S044. A proxy stands before the
//! real engine and writes down what it is asked.

use std::sync::Arc;

use serde_json::{Value, json};
use wheelhouse::engine::{
    Action, ContainerId, Engine, Error, HIDDEN, NewVolume, Reach, Scope, Signal, VolumeName, spec::Spec,
};

use crate::support::{proxy::FaultProxy, *};

const SECRET: &str = "hunter2";

/// The engine behind a proxy, connected and listed.
async fn connect(proxy: &FaultProxy) -> Engine {
    let engine = Engine::connect(proxy.url().parse().expect("an address")).expect("a runtime");
    until("the engine is seen", async || engine.picture().link.is_live().then_some(())).await;
    engine
}

fn within(engine: &Engine, reach: Reach) -> Engine {
    engine.within(Arc::new(reach))
}

fn scope(text: &str) -> Vec<Scope> {
    vec![text.parse().expect("a scope")]
}

fn id(made: &Made) -> ContainerId {
    made.id.parse().expect("an id")
}

fn spec(request: Value) -> Spec {
    serde_json::from_value(request).expect("a request")
}

async fn sees(engine: &Engine, made: &Made) {
    until("the picture has it", async || engine.picture().containers.contains_key(&id(made)).then_some(())).await;
}

async fn sees_volume(engine: &Engine, name: &str) -> VolumeName {
    let name: VolumeName = name.parse().expect("a name");
    until("the picture has it", async || engine.picture().volumes.contains_key(&name).then_some(())).await;
    name
}

/// What a role refuses, in its words.
#[track_caller]
fn forbidden<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Forbidden(why)) => why,
        other => panic!("it is not forbidden: {other:?}"),
    }
}

/// A request that asks for one thing more than an image.
fn with(part: &Value) -> Spec {
    let mut request = json!({"Image": "busybox", "Cmd": ["true"], "HostConfig": {}});
    for (key, value) in part.as_object().expect("an object") {
        if key == "NetworkingConfig" {
            request[key] = value.clone();
        } else {
            request["HostConfig"][key] = value.clone();
        }
    }
    spec(request)
}

#[tokio::test]
async fn s036_who_has_no_power_over_the_host_asks_for_it_in_vain() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    let engine = connect(&proxy).await;
    let operator = within(&engine, Reach::operator(vec![]));
    let mount = |mount: Value| json!({ "Mounts": [mount] });
    let asked = [
        json!({"Privileged": true}),
        json!({"CapAdd": ["SYS_MODULE"]}),
        json!({"Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda"}]}),
        json!({"DeviceRequests": [{"Driver": "nvidia", "Count": -1}]}),
        json!({"DeviceCgroupRules": ["a *:* rwm"]}),
        json!({"PidMode": "host"}),
        json!({"PidMode": "container:x"}),
        json!({"IpcMode": "host"}),
        json!({"IpcMode": "container:x"}),
        json!({"UTSMode": "host"}),
        json!({"UsernsMode": "host"}),
        json!({"CgroupnsMode": "host"}),
        json!({"NetworkMode": "host"}),
        json!({"NetworkMode": "container:x"}),
        json!({"NetworkingConfig": {"EndpointsConfig": {"host": {"Aliases": ["x"]}}}}),
        json!({"SecurityOpt": ["seccomp=unconfined"]}),
        json!({"Sysctls": {"net.ipv4.ip_forward": "1"}}),
        json!({"Binds": ["/:/host"]}),
        mount(json!({"Type": "bind", "Source": "/", "Target": "/host"})),
        mount(json!({"Type": "volume", "Target": "/host", "VolumeOptions": {"DriverConfig": {"Options":
            {"type": "none", "o": "bind", "device": "/"}}}})),
        json!({"VolumesFrom": ["x"]}),
        json!({"VolumeDriver": "local"}),
        json!({"Runtime": "runc"}),
        json!({"CgroupParent": "/system.slice"}),
        json!({"MaskedPaths": []}),
        json!({"ReadonlyPaths": []}),
        json!({"GroupAdd": ["0"]}),
        json!({"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 1}]}),
        json!({"OomScoreAdj": -1000}),
        json!({"StorageOpt": {"size": "1G"}}),
        json!({"Annotations": {"a": "b"}}),
        json!({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "udp://10.0.0.1:1"}}}),
        json!({"Links": ["x:y"]}),
    ];
    let calls = proxy.seen().len();
    for part in &asked {
        forbidden(operator.containers().create(&with(part)).await);
        forbidden(operator.jobs().run(with(part), true, "docker run".into()).await);
    }
    assert_eq!(proxy.seen()[calls..].iter().filter(|(_, path)| !path.ends_with("/_ping")).count(), 0);
    assert!(engine.jobs().list().is_empty());
    // Who only looks asks for nothing at all.
    let viewer = within(&engine, Reach::viewer(vec![]));
    forbidden(viewer.containers().create(&with(&json!({}))).await);
    forbidden(viewer.volumes().create(NewVolume::default()).await);
    forbidden(viewer.jobs().run(with(&json!({})), true, String::new()).await);
    forbidden(viewer.jobs().act_on_many(vec![], Action::Start, String::new()));
    forbidden(viewer.jobs().remove_volumes(vec![], String::new()));
    forbidden(viewer.volumes().measure());
    assert_eq!(proxy.writes(), [""; 0]);
    // And what is harmless is made.
    let harmless = json!({"Memory": 64 << 20, "Binds": [format!("{}:/d", real.name("new"))], "CapDrop": ["ALL"]});
    let harmless = Spec { name: Some(real.name("harmless")), ..with(&harmless) };
    let made = operator.containers().create(&harmless).await.expect("it is harmless");
    forbidden(viewer.containers().act(&made.id, Action::Start).await);
    operator.containers().start_new(&made.id).await.expect("it starts");
}

#[tokio::test]
async fn s037_a_volume_that_is_a_folder_of_the_host_is_one() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    let root = real.volume("root", "-o type=none -o o=bind -o device=/").await;
    let disk = real.volume("disk", "-o type=ext4 -o device=/dev/vda").await;
    let plain = real.volume("plain", "").await;
    let engine = connect(&proxy).await;
    let operator = within(&engine, Reach::operator(vec![]));
    for volume in [&root, &disk] {
        for part in [
            json!({"Binds": [format!("{volume}:/host")]}),
            json!({"Binds": [format!("{volume}:/host:ro")]}),
            json!({"Mounts": [{"Type": "volume", "Source": volume, "Target": "/host"}]}),
        ] {
            let why = forbidden(operator.containers().create(&with(&part)).await);
            contains_all(&why, &["host path /", volume]);
        }
    }
    let name = || Some(real.name("mine").parse().expect("a name"));
    let options = vec![("type".into(), "none".into()), ("o".into(), "bind".into()), ("device".into(), "/".into())];
    forbidden(operator.volumes().create(NewVolume { name: name(), options, ..NewVolume::default() }).await);
    let driver = Some("sshfs".to_owned());
    forbidden(operator.volumes().create(NewVolume { name: name(), driver, ..NewVolume::default() }).await);
    assert_eq!(proxy.writes(), [""; 0]);
    let ours = Spec { name: Some(real.name("ours")), ..with(&json!({"Binds": [format!("{plain}:/d")]})) };
    operator.containers().create(&ours).await.expect("a plain volume is one");
    operator.volumes().create(NewVolume { name: name(), ..NewVolume::default() }).await.expect("so is a new one");

    let console = Console::on(&real).await;
    console.sees_volume(&root).await;
    contains_all(&console.get(&format!("/volumes/{root}")).await.expect(200).said(), &["host path /"]);
    assert!(!console.get(&format!("/volumes/{plain}")).await.expect(200).said().contains("host path"));
}

#[tokio::test]
async fn s038_what_is_sent_is_what_was_judged() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    let operator = within(&connect(&proxy).await, Reach::operator(vec![]));
    let text = r#"{"Image":"busybox","hostconfig":{"privileged":true},"HostConfig":{"privileged":true,"Memory":67108864,"CAPADD":["ALL"]}}"#;
    let request: Spec = serde_json::from_str(text).expect("a request");
    operator.containers().create(&Spec { name: Some(real.name("web")), ..request }).await.expect("it is harmless");
    let sent = proxy.sent("/containers/create");
    assert_eq!(sent.len(), 1);
    let body = sent[0].to_lowercase();
    assert!(body.contains("67108864") && !body.contains("privileged\":true") && !body.contains("all\""), "{body}");
    assert_eq!(real.inspect(&real.name("web")).await["HostConfig"]["Privileged"], false);
}

#[tokio::test]
async fn s041_what_others_have_answers_as_what_nobody_has() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    // Others have teams of these colours, too.
    let team = real.name("team");
    let red = real.run("red", &format!("--label {team}=red busybox sleep 1000")).await;
    let blue = real.run("blue", &format!("--label {team}=blue busybox sleep 1000")).await;
    let stack = real.create("stack", &format!("--label com.docker.compose.project={team} busybox")).await;
    let (red_data, blue_data) = (
        real.volume("red-data", &format!("--label {team}=red")).await,
        real.volume("blue-data", &format!("--label {team}=blue")).await,
    );
    let whole = connect(&proxy).await;
    for made in [&red, &blue, &stack] {
        sees(&whole, made).await;
    }
    let (red_data, blue_data) = (sees_volume(&whole, &red_data).await, sees_volume(&whole, &blue_data).await);
    let engine = within(&whole, Reach::operator(scope(&format!("label:{team}=red"))));
    let blue_job = within(&whole, Reach::operator(scope(&format!("label:{team}=blue"))))
        .jobs()
        .act_on_many(vec![id(&blue)], Action::Unpause, "docker unpause".into())
        .expect("they may");
    blue_job.ended().await;

    let nobody: ContainerId = "0f".repeat(32).parse().expect("an id");
    let nothing: VolumeName = real.name("nothing").parse().expect("a name");
    let calls = proxy.seen().len();
    let same = |one: Error, other: Error, ids: [&str; 2]| {
        assert!(matches!(one, Error::NotFound(_)) && matches!(other, Error::NotFound(_)), "{one:?} {other:?}");
        assert_eq!(one.to_string().replace(ids[0], ids[1]), other.to_string());
    };
    let ids = [blue.id.as_str(), nobody.as_str()];
    let actions = || {
        let remove = Action::Remove { force: true, volumes: true, link: false };
        let rename = Action::Rename { name: "x".into() };
        let kill = Action::Kill { signal: Signal::kill() };
        let (stop, restart) = (Action::Stop { timeout: Some(0) }, Action::Restart { timeout: Some(0) });
        let unlink = Action::Remove { force: false, volumes: false, link: true };
        [Action::Start, stop, restart, kill, Action::Pause, Action::Unpause, rename, remove, unlink]
    };
    for (one, other) in actions().into_iter().zip(actions()) {
        let one = engine.containers().act(&id(&blue), one).await.expect_err("it is not theirs");
        same(one, engine.containers().act(&nobody, other).await.expect_err("nobody has it"), ids);
    }
    let one = engine.containers().get(&id(&blue)).await.expect_err("it is not theirs");
    same(one, engine.containers().get(&nobody).await.expect_err("nobody has it"), ids);
    assert_eq!(engine.history(&id(&blue)), engine.history(&nobody));
    // What others do meanwhile may have pushed its beginning out of what is kept.
    real.docker(&["pause", &blue.id]).await;
    until("something is known of it", async || (!whole.history(&id(&blue)).is_empty()).then_some(())).await;
    real.docker(&["unpause", &blue.id]).await;
    let ids = [blue_data.as_str(), nothing.as_str()];
    let one = engine.volumes().inspect(&blue_data).await.expect_err("it is not theirs");
    same(one, engine.volumes().inspect(&nothing).await.expect_err("nobody has it"), ids);
    let one = engine.volumes().remove(&blue_data).await.expect_err("it is not theirs");
    same(one, engine.volumes().remove(&nothing).await.expect_err("nobody has it"), ids);
    let (one, other) = (engine.jobs().get(blue_job.id), engine.jobs().get(4_000));
    let number = |error: Error| error.to_string().replace("4000", &blue_job.id.to_string());
    assert_eq!(one.map_err(number).expect_err("not theirs"), other.map_err(number).expect_err("nobody's"));
    let many = engine.jobs().act_on_many(vec![id(&blue), nobody.clone()], Action::Start, String::new());
    assert_eq!(many.expect("a job").ended().await.failures(), 2);
    let many = engine.jobs().remove_volumes(vec![blue_data.clone()], String::new()).expect("a job");
    // What is gone is as wished: this one was never there for them.
    many.ended().await;
    let asked: Vec<_> = proxy.seen()[calls..].iter().map(|(method, path)| format!("{method} {path}")).collect();
    // The picture asks for whatever changed, for everybody: not for whoever asked here.
    let about = |name: &str| asked.iter().any(|call| call.contains(name) && !call.contains("/containers/json?"));
    assert!(!about(&blue.id) && !about(nobody.as_str()) && !about(blue_data.as_str()), "{asked:?}");
    assert!(real.exists(&blue.id).await && real.inspect_volume(blue_data.as_str()).await.is_some());

    // Nothing of theirs is in what is watched, nor of what happens to it.
    let mut watch = engine.watch();
    real.docker(&["pause", &blue.id]).await;
    real.docker(&["pause", &red.id]).await;
    real.docker(&["rm", "-f", &blue.id]).await;
    until("it is seen", async || {
        let gone = !whole.picture().containers.contains_key(&id(&blue));
        let destroyed = whole.picture().events.iter().any(|event| event.action == "destroy" && event.id == blue.id);
        (gone && destroyed).then_some(())
    })
    .await;
    watch.changed().await.expect("it changed");
    let picture = watch.picture();
    assert_eq!(picture.version, whole.picture().version);
    assert_eq!(picture.containers.keys().map(ContainerId::as_str).filter(|id| *id != red.id).count(), 0);
    assert!(picture.volumes.contains_key(&red_data) && picture.volumes.len() == 1);
    assert!(picture.events.iter().any(|event| event.id == red.id && event.action == "pause"));
    let text = format!("{picture:?}");
    for foreign in [&blue.id, &blue.name, blue_data.as_str(), &stack.id] {
        assert!(!text.contains(foreign), "{foreign} in {text}");
    }
    assert!(Arc::ptr_eq(&engine.picture(), &within(&whole, engine.reach().clone()).picture()));
    assert!(Arc::ptr_eq(&whole.picture(), &within(&whole, Reach::admin()).picture()));
    let shop = within(&whole, Reach::viewer(scope(&format!("stack:{team}")))).picture();
    assert!(shop.containers.contains_key(&id(&stack)) && !shop.containers.contains_key(&id(&red)));
    real.docker(&["unpause", &red.id]).await;
}

#[tokio::test]
async fn s042_nobody_reaches_further_by_saying_so() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    // Others have teams of these colours, too.
    let team = real.name("team");
    let network = real.name("blue-net");
    real.docker(&["network", "create", &network]).await;
    let red_net = real.name("red-net");
    real.docker(&["network", "create", &red_net]).await;
    let blue = real.create("blue", &format!("--label {team}=blue --network {network} busybox")).await;
    let red = real.create("red", &format!("--label {team}=red --network {red_net} busybox")).await;
    let blue_data = real.volume("blue-data", &format!("--label {team}=blue")).await;
    let whole = connect(&proxy).await;
    sees(&whole, &blue).await;
    sees(&whole, &red).await;
    sees_volume(&whole, &blue_data).await;
    let engine = within(&whole, Reach::operator(scope(&format!("label:{team}=red"))));
    let named = |name: &str, part: Value| {
        let mut request = json!({"Image": "busybox", "Cmd": ["true"]});
        request.as_object_mut().expect("an object").extend(part.as_object().expect("an object").clone());
        Spec { name: Some(real.name(name)), ..spec(request) }
    };
    let nothing = real.name("nothing");
    let refused = [
        json!({"Labels": {team.as_str(): "blue"}}),
        json!({"Labels": {"com.docker.compose.project": "shop"}}),
        json!({"HostConfig": {"Binds": [format!("{blue_data}:/d")]}}),
        json!({"HostConfig": {"Binds": [format!("{nothing}:/d")]}}),
        json!({"HostConfig": {"Mounts": [{"Type": "volume", "Source": blue_data, "Target": "/d"}]}}),
        json!({"HostConfig": {"NetworkMode": network}}),
        json!({"NetworkingConfig": {"EndpointsConfig": {network.as_str(): {}}}}),
        json!({"HostConfig": {"NetworkMode": format!("container:{}", blue.id)}}),
        json!({"HostConfig": {"VolumesFrom": [blue.id]}}),
    ];
    for part in refused {
        forbidden(engine.containers().create(&named("x", part.clone())).await);
        forbidden(engine.jobs().run(named("x", part), false, String::new()).await);
    }
    let text = async |name: &str| {
        let binds = named("x", json!({"HostConfig": {"Binds": [format!("{name}:/d")]}}));
        forbidden(engine.containers().create(&binds).await)
    };
    assert_eq!(text(&blue_data).await.replace(&blue_data, &nothing), text(&nothing).await);
    let labels = vec![(team.clone(), "blue".to_owned())];
    forbidden(engine.volumes().create(NewVolume { labels, ..NewVolume::default() }).await);
    let taken = NewVolume { name: Some(blue_data.parse().expect("a name")), ..NewVolume::default() };
    assert!(matches!(engine.volumes().create(taken).await, Err(Error::Conflict(_))));
    assert_eq!(proxy.writes(), [""; 0]);

    // What they make is theirs, whether they say so or not.
    let data = Some(real.name("mine").parse().expect("a name"));
    let data = engine.volumes().create(NewVolume { name: data, ..NewVolume::default() }).await.expect("a volume");
    let part = json!({"HostConfig": {"Binds": [format!("{data}:/d")], "NetworkMode": red_net}, "Labels": {"a": "b"}});
    let made = engine.containers().create(&named("mine", part)).await.expect("a container");
    assert!(engine.picture().containers.contains_key(&made.id) && engine.picture().volumes.contains_key(&data));
    engine.containers().start_new(&made.id).await.expect("it starts");
    let labels = &real.inspect(made.id.as_str()).await["Config"]["Labels"];
    assert_eq!(labels, &json!({team.as_str(): "red", "a": "b"}));
    assert_eq!(real.inspect_volume(data.as_str()).await.expect("it is there")["Labels"], json!({team.as_str(): "red"}));
    // A name that somebody else has is refused, without telling who.
    let name = real.name("blue");
    let why = engine.containers().create(&Spec { name: Some(name), ..named("x", json!({})) }).await.expect_err("taken");
    assert!(matches!(why, Error::Conflict(_)) && !why.to_string().contains(&blue.id), "{why}");
}

#[tokio::test]
async fn s044_who_only_looks_sees_no_secret() {
    let real = RealEngine::docker28();
    let proxy = FaultProxy::before(&real.socket);
    let options = format!("--label token={SECRET} --label com.docker.compose.project=shop -e SECRET={SECRET}");
    let health = format!("--health-cmd 'echo {SECRET}' --health-interval 1s");
    let web = real
        .run("web", &format!("{options} {health} --log-opt labels={SECRET} busybox sh -c 'sleep 1000 # {SECRET}'"))
        .await;
    let broken = real.create("broken", &format!("--entrypoint /{SECRET} busybox {SECRET}")).await;
    let _ = real.try_docker(&["start", &broken.id]).await;
    let line = format!("--label token={SECRET} -o type=cifs -o device=//127.0.0.1/x -o o=username=a,password={SECRET}");
    let data = real.volume("data", &line).await;
    let whole = connect(&proxy).await;
    sees(&whole, &web).await;
    sees(&whole, &broken).await;
    let data = sees_volume(&whole, &data).await;
    real.docker(&["exec", &web.id, "sh", "-c", &format!("true {SECRET}")]).await;
    let job = whole
        .jobs()
        .run(spec(json!({"Image": "localhost:1/none"})), true, format!("docker run -e SECRET={SECRET} x"))
        .await
        .expect("a job");
    job.ended().await;
    until("its check has run", async || {
        let detail = whole.containers().get(&id(&web)).await.ok()?;
        detail.checks.iter().any(|check| check.output.contains(SECRET)).then_some(())
    })
    .await;
    let everything = async |engine: &Engine| {
        let mut all = vec![format!("{:?}", engine.picture()), format!("{:?}", engine.watch().picture())];
        for made in [&web, &broken] {
            all.push(format!("{:?}", engine.containers().get(&id(made)).await.expect("it is there")));
            all.push(format!("{:?}", engine.history(&id(made))));
        }
        all.push(engine.volumes().inspect(&data).await.expect("it is there").to_string());
        all.push(format!("{:?} {:?}", engine.jobs().list(), engine.jobs().get(job.id)));
        all.push(format!("{:?}", engine.jobs().get(job.id).expect("a job").ended().await));
        all.push(format!("{:?}", engine.jobs().get(job.id).expect("a job").watch().progress()));
        all
    };
    let told = everything(&whole).await.iter().filter(|part| part.contains(SECRET)).count();
    assert_eq!(told, 9, "it can be found everywhere, but for the events of what has no label");
    for reach in [Reach::viewer(vec![]), Reach { operate: true, ..Reach::viewer(vec![]) }] {
        let viewer = within(&whole, reach);
        for part in everything(&viewer).await {
            assert!(!part.contains(SECRET), "{part}");
        }
    }
    // What tells nothing is told.
    let viewer = within(&whole, Reach::viewer(vec![]));
    let container = viewer.picture().containers[&id(&web)].clone();
    assert_eq!((container.name.as_str(), container.stack()), (web.name.as_str(), Some("shop")));
    assert_eq!(container.labels["token"], HIDDEN);
    let detail = viewer.containers().get(&id(&web)).await.expect("it is there");
    assert_eq!(detail.raw["Config"]["Image"], "busybox");
    assert!(detail.env.iter().any(|var| var.name == "SECRET" && var.value == HIDDEN));
    // Who operates is told all but values of variables and of drivers, and what a kept answer showed to others stays theirs.
    let (admin, revealed) = (within(&whole, Reach::admin()), within(&whole, Reach::everything()));
    for _ in 0..2 {
        let masked = admin.containers().get(&id(&web)).await.expect("it is there");
        assert!(masked.env.iter().all(|var| var.value == HIDDEN) && masked.command.join(" ").contains(SECRET));
        let env = &masked.raw["Config"]["Env"];
        assert!(
            !env.to_string().contains(SECRET) && masked.raw["HostConfig"]["LogConfig"]["Config"]["labels"] == HIDDEN
        );
        let shown = revealed.containers().get(&id(&web)).await.expect("it is there");
        assert!(shown.env.iter().any(|var| var.value == SECRET) && shown.raw.to_string().contains(SECRET));
    }
    assert_eq!(
        admin.volumes().inspect(&data).await.expect("it is there")["Options"]["o"],
        "username=‹hidden›,password=‹hidden›"
    );
    assert!(revealed.volumes().inspect(&data).await.expect("it is there").to_string().contains("password=hunter2"));
    assert!(!format!("{:?}", admin.picture().volumes[&data].options).contains(SECRET));
    assert!(admin.jobs().get(job.id).expect("a job").progress().command.contains(HIDDEN));
}

#[tokio::test]
async fn s040_what_is_root_on_the_host_says_so() {
    let real = RealEngine::docker28();
    let host = real.create("host", "-v /:/h busybox").await;
    let socket = real.create("socket", "-v /var/run/docker.sock:/s.sock busybox").await;
    let privileged = real.create("privileged", "--privileged busybox").await;
    let volume = real.volume("root", "-o type=none -o o=bind -o device=/").await;
    let named = real.create("named", &format!("-v {volume}:/h busybox")).await;
    let plain = real.create("plain", "-v /srv/www:/www busybox").await;
    let console = Console::on(&real).await;
    console.sees_volume(&volume).await;
    for (made, in_list, in_detail) in [
        (&host, true, true),
        (&socket, true, true),
        (&named, true, true),
        (&privileged, false, true),
        (&plain, false, false),
    ] {
        console.sees(&made.id).await;
        let list = console.get(&format!("/containers?q={}", made.id)).await;
        assert_eq!(list.has(&format!("{} .badge", made.row())), in_list, "{}", made.name);
        let said = console.get(&made.path("")).await.expect(200).said();
        assert_eq!(said.contains("Root on the host"), in_detail, "{said}");
    }
}
