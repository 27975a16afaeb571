//! What an action of the console would be as a docker command, in the short forms that people type.

use std::fmt::Display;

use super::words::join;

/// A command in the making: words that are quoted when they are put on a line.
struct Line(Vec<String>);

impl Line {
    /// `docker` and fixed words: `docker("volume ls")`.
    fn docker(words: &str) -> Self {
        Self(["docker"].into_iter().chain(words.split(' ')).map(str::to_owned).collect())
    }

    /// A word, if it is wanted.
    fn when(self, wanted: bool, word: &str) -> Self {
        self.words(wanted.then_some(word))
    }

    /// A flag and its value, if there is one.
    fn option(self, flag: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.words([flag, &value.to_string()]),
            None => self,
        }
    }

    /// A flag for each `name=value`.
    fn settings(self, flag: &str, settings: &[(&str, &str)]) -> Self {
        settings.iter().fold(self, |line, (name, value)| line.option(flag, Some(format!("{name}={value}"))))
    }

    fn words<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.extend(words.into_iter().map(str::to_owned));
        self
    }

    fn names(self, names: &[&str]) -> String {
        self.words(names.iter().copied()).end()
    }

    fn end(self) -> String {
        join(self.0)
    }
}

/// `docker start web db`.
pub fn start(names: &[&str]) -> String {
    Line::docker("start").names(names)
}

/// `docker stop -t 30 web`; the timeout is in seconds, -1 for none.
pub fn stop(names: &[&str], timeout: Option<i64>) -> String {
    Line::docker("stop").option("-t", timeout).names(names)
}

/// `docker restart -t 30 web`; the timeout is in seconds, -1 for none.
pub fn restart(names: &[&str], timeout: Option<i64>) -> String {
    Line::docker("restart").option("-t", timeout).names(names)
}

/// `docker kill -s HUP web`.
pub fn kill(names: &[&str], signal: Option<&str>) -> String {
    Line::docker("kill").option("-s", signal).names(names)
}

/// `docker pause web`.
pub fn pause(names: &[&str]) -> String {
    Line::docker("pause").names(names)
}

/// `docker unpause web`.
pub fn unpause(names: &[&str]) -> String {
    Line::docker("unpause").names(names)
}

/// `docker rename web shop`.
pub fn rename(name: &str, new: &str) -> String {
    Line::docker("rename").names(&[name, new])
}

/// `docker rm -fv web`: by force, with anonymous volumes, or only a link.
pub fn rm(names: &[&str], force: bool, volumes: bool, link: bool) -> String {
    let letters: String =
        [(force, 'f'), (volumes, 'v'), (link, 'l')].iter().filter(|(on, _)| *on).map(|(_, c)| c).collect();
    Line::docker("rm").when(!letters.is_empty(), &format!("-{letters}")).names(names)
}

/// `docker container prune -f`.
pub fn container_prune() -> String {
    Line::docker("container prune -f").end()
}

/// `docker ps -a --filter status=exited`.
pub fn ps(all: bool, filters: &[(&str, &str)]) -> String {
    Line::docker("ps").when(all, "-a").settings("--filter", filters).end()
}

/// `docker inspect web`.
pub fn inspect(names: &[&str]) -> String {
    Line::docker("inspect").names(names)
}

/// `docker inspect -f '{{json .State.Health}}' web`.
pub fn inspect_part(name: &str, format: &str) -> String {
    Line::docker("inspect").option("-f", Some(format)).names(&[name])
}

/// What of a container's output is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Logs<'a> {
    /// Whether what is yet to come is wanted too.
    pub follow: bool,
    /// Whether lines begin with their time.
    pub timestamps: bool,
    /// Lines from the end.
    pub tail: Option<u64>,
    /// A time or an age, `10m`.
    pub since: Option<&'a str>,
    /// A time or an age, `10m`.
    pub until: Option<&'a str>,
}

/// `docker logs -f -n 100 web`.
pub fn logs(name: &str, what: Logs<'_>) -> String {
    Line::docker("logs")
        .when(what.follow, "-f")
        .when(what.timestamps, "-t")
        .option("-n", what.tail)
        .option("--since", what.since)
        .option("--until", what.until)
        .names(&[name])
}

/// What of the output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

/// What is looked for in the output.
#[derive(Debug, Clone, Copy)]
pub struct Grep<'a> {
    /// Words, each of which is looked for, or one regular expression.
    pub parts: &'a [String],
    /// Whether it is a regular expression.
    pub is_regex: bool,
    /// Whether large letters are others than small ones.
    pub has_case: bool,
    /// Whether lines without it are looked for.
    pub is_not: bool,
    /// Lines around each.
    pub context: usize,
}

impl Grep<'_> {
    /// What a pipe goes on with: `grep -i -F -- one | grep -i -F -- other`.
    fn pipe(self) -> String {
        let Self { parts, is_regex, has_case, is_not, context } = self;
        let grep = |kind: &str, text: &str| {
            let line = Line(vec!["grep".to_owned()]).when(!has_case, "-i").when(is_not, "-v");
            line.option("-C", Some(context).filter(|context| *context > 0)).words([kind, "--", text]).end()
        };
        match parts {
            // Nearer to what is searched with here than -E: that knows no \d.
            [one] => grep(if is_regex { "-P" } else { "-F" }, one),
            // Lines without all of them, or with what stands around: no two greps in a row do that.
            parts if is_not || context > 0 => {
                let all: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
                grep("-P", &format!("^(?=.*{})", all.join(")(?=.*")))
            }
            parts => parts.iter().map(|part| grep("-F", part)).collect::<Vec<_>>().join(" | "),
        }
    }
}

/// `docker logs -t web 2>/dev/null | grep -i -F -- word | tail -n 100`: of the output, one stream and what is looked for.
/// What docker counts is all of the log: the last of what is left are counted behind it.
pub fn logs_of(name: &str, what: Logs<'_>, kept: Option<Kept>, grep: Option<Grep<'_>>) -> String {
    let is_all = kept.is_none() && grep.is_none() && (what.until.is_none() || what.tail.is_none());
    let line = logs(name, Logs { tail: what.tail.filter(|_| is_all), ..what });
    let streams = match kept {
        Some(Kept::Stdout) => " 2>/dev/null",
        Some(Kept::Stderr) => " 2>&1 >/dev/null",
        None if is_all => "",
        None => " 2>&1",
    };
    let grep = grep.map(|grep| format!(" | {}", grep.pipe())).unwrap_or_default();
    let tail = what.tail.filter(|_| !is_all).map(|tail| format!(" | tail -n {tail}")).unwrap_or_default();
    format!("{line}{streams}{grep}{tail}")
}

/// `docker stats web`.
pub fn stats(names: &[&str]) -> String {
    Line::docker("stats").names(names)
}

/// `docker update --memory 512m web`.
pub fn update(flags: &[(&str, &str)], name: &str) -> String {
    let flag = |line: Line, (flag, value): &(&str, &str)| line.option(&format!("--{flag}"), Some(value));
    flags.iter().fold(Line::docker("update"), flag).names(&[name])
}

/// `docker exec -it -u www -w /srv web sh`.
pub fn exec(name: &str, user: Option<&str>, workdir: Option<&str>, command: &[&str]) -> String {
    Line::docker("exec -it").option("-u", user).option("-w", workdir).words([name]).names(command)
}

/// `docker attach web`: only to look, without input and without passing on ^C.
pub fn attach(name: &str, is_read_only: bool) -> String {
    Line::docker("attach").when(is_read_only, "--no-stdin").when(is_read_only, "--sig-proxy=false").names(&[name])
}

/// `docker top web -eo pid,args`: its options are those of `ps`, a word each.
pub fn top(name: &str, options: &str) -> String {
    Line::docker("top").words([name]).words(options.split(' ')).end()
}

/// `docker diff web`.
pub fn diff(name: &str) -> String {
    Line::docker("diff").names(&[name])
}

/// What an image is made with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Commit<'a> {
    /// What is said about it.
    pub message: Option<&'a str>,
    /// Who made it.
    pub author: Option<&'a str>,
    /// Instructions of a Dockerfile.
    pub changes: &'a [String],
    /// Whether the container goes on meanwhile.
    pub no_pause: bool,
}

/// `docker commit -m 'before the update' web shop/web:kept`.
pub fn commit(name: &str, reference: &str, what: Commit<'_>) -> String {
    let line = Line::docker("commit").option("-m", what.message).option("-a", what.author);
    let line = what.changes.iter().fold(line, |line, change| line.option("-c", Some(change)));
    line.when(what.no_pause, "--pause=false").names(&[name, reference])
}

/// `docker export -o web.tar web`; through `gzip` into a file that ends with it.
pub fn export(name: &str, file: &str, is_packed: bool) -> String {
    if is_packed {
        format!("{} | gzip > {}", Line::docker("export").names(&[name]), join([file.to_owned()]))
    } else {
        Line::docker("export").option("-o", Some(file)).names(&[name])
    }
}

/// A path of a container as `docker cp` takes it.
fn of(name: &str, path: &str) -> String {
    format!("{name}:{path}")
}

/// `docker cp web:/etc/hosts .`
pub fn cp_from(name: &str, path: &str) -> String {
    Line::docker("cp").names(&[&of(name, path), "."])
}

/// A file beside: one with a dash before it or a colon in it would be taken for something else.
fn beside(file: &str) -> String {
    if file.starts_with('-') || file.contains(':') { format!("./{file}") } else { file.to_owned() }
}

/// `docker cp hosts web:/etc/`: the slash at the end, so that it goes into the folder.
pub fn cp_to(name: &str, file: &str, folder: &str) -> String {
    Line::docker("cp").names(&[&beside(file), &of(name, &format!("{}/", folder.trim_end_matches('/')))])
}

/// `docker exec -u 0 web mv /a /b`: as root, as `docker cp` reads and writes.
pub fn exec_root(name: &str, command: &[&str]) -> String {
    Line::docker("exec -u 0").words([name]).names(command)
}

/// `docker run --rm -v data:/volume busybox ls -la /volume`: a volume has no files for `docker cp`.
pub fn volume_run(volume: &str, is_written: bool, command: &[&str]) -> String {
    let mount = format!("{volume}:/volume{}", if is_written { "" } else { ":ro" });
    Line::docker("run --rm -v").words([mount.as_str(), "busybox"]).names(command)
}

/// `docker run --rm -v data:/volume:ro busybox tar -C /volume -cz . > data.tar.gz`
pub fn volume_backup(volume: &str, folder: &str, file: &str) -> String {
    format!("{} > {}", volume_run(volume, false, &["tar", "-C", folder, "-cz", "."]), join([file.to_owned()]))
}

/// `docker run --rm -i -v data:/volume busybox tar -C /volume -xz < data.tar.gz`
pub fn volume_restore(volume: &str, file: &str) -> String {
    let mount = format!("{volume}:/volume");
    let run = Line::docker("run --rm -i -v").words([mount.as_str(), "busybox"]);
    format!("{} < {}", run.names(&["tar", "-C", "/volume", "-xz"]), join([file.to_owned()]))
}

/// `docker pull -a --platform linux/arm64 nginx`: one tag, or all.
pub fn pull(image: &str, platform: Option<&str>, all: bool) -> String {
    Line::docker("pull").when(all, "-a").option("--platform", platform).names(&[image])
}

/// `docker image ls --filter dangling=true`.
pub fn image_ls(filters: &[(&str, &str)]) -> String {
    Line::docker("image ls").settings("--filter", filters).end()
}

/// `docker image inspect nginx`.
pub fn image_inspect(names: &[&str]) -> String {
    Line::docker("image inspect").names(names)
}

/// `docker rmi -f nginx:1`: names go, and with its last one the image.
pub fn rmi(names: &[&str], force: bool) -> String {
    Line::docker("rmi").when(force, "-f").names(names)
}

/// `docker tag nginx:1 shop/web:1`.
pub fn tag(image: &str, name: &str) -> String {
    Line::docker("tag").names(&[image, name])
}

/// `docker push localhost:5000/web:1`.
pub fn push(name: &str) -> String {
    Line::docker("push").names(&[name])
}

/// `docker image prune -a --filter until=24h`: all unused ones, not only those without a tag.
pub fn image_prune(all: bool, older: Option<&str>) -> String {
    let older: Vec<(&str, &str)> = older.map(|older| ("until", older)).into_iter().collect();
    Line::docker("image prune").when(all, "-a").settings("--filter", &older).end()
}

/// `docker save -o images.tar nginx:1 web:2`.
pub fn save(names: &[&str], file: &str) -> String {
    Line::docker("save").option("-o", Some(file)).names(names)
}

/// `docker load -i images.tar`.
pub fn load(file: &str) -> String {
    Line::docker("load").option("-i", Some(file)).end()
}

/// `docker import -m 'from the old host' -c 'CMD ["sh"]' root.tar web:1`.
pub fn import(file: &str, name: Option<&str>, changes: &[String], message: Option<&str>) -> String {
    let line = changes.iter().fold(Line::docker("import"), |line, change| line.option("-c", Some(change)));
    line.option("-m", message).words([beside(file).as_str()]).words(name).end()
}

/// `docker search nginx`.
pub fn search(words: &str) -> String {
    Line::docker("search").names(&[words])
}

/// `docker manifest inspect -v nginx:1`, for each of them.
pub fn manifests(names: &[&str]) -> String {
    match names {
        [one] => Line::docker("manifest inspect -v").names(&[one]),
        _ => format!("{} | xargs -n 1 docker manifest inspect -v", image_names()),
    }
}

/// The names of all images.
fn image_names() -> String {
    Line::docker("image ls").option("--format", Some("{{.Repository}}:{{.Tag}}")).end()
}

/// How an image is built.
#[derive(Debug, Clone, Copy, Default)]
pub struct Build<'a> {
    /// What it will be called.
    pub tags: &'a [String],
    /// Names and values.
    pub args: &'a [(&'a str, &'a str)],
    /// Where the Dockerfile is.
    pub dockerfile: &'a str,
    /// The stage at which to stop.
    pub target: &'a str,
    /// Which platform it is for.
    pub platform: &'a str,
    /// Whether everything is done anew.
    pub no_cache: bool,
    /// Whether base images are looked for in their registry.
    pub pull: bool,
}

/// `docker build -t shop/web:1 --build-arg A=b .`; a Dockerfile alone comes from stdin, `-`.
pub fn build(what: Build<'_>, from: &str) -> String {
    fn some(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }
    let line = what.tags.iter().fold(Line::docker("build"), |line, tag| line.option("-t", Some(tag.as_str())));
    line.settings("--build-arg", what.args)
        .option("-f", some(what.dockerfile).filter(|file| *file != "Dockerfile"))
        .option("--target", some(what.target))
        .option("--platform", some(what.platform))
        .when(what.no_cache, "--no-cache")
        .when(what.pull, "--pull")
        .words([from])
        .end()
}

/// `docker login -u ada ghcr.io`; without a registry, Docker Hub is meant.
pub fn login(registry: Option<&str>, user: &str) -> String {
    Line::docker("login").option("-u", Some(user).filter(|user| !user.is_empty())).words(registry).end()
}

/// `docker logout ghcr.io`.
pub fn logout(registry: Option<&str>) -> String {
    Line::docker("logout").words(registry).end()
}

/// `docker volume create -d local -o type=nfs --label team=shop data`.
pub fn volume_create(
    name: Option<&str>,
    driver: Option<&str>,
    options: &[(&str, &str)],
    labels: &[(&str, &str)],
) -> String {
    Line::docker("volume create")
        .option("-d", driver)
        .settings("-o", options)
        .settings("--label", labels)
        .words(name)
        .end()
}

/// `docker volume rm -f data`.
pub fn volume_rm(names: &[&str], force: bool) -> String {
    Line::docker("volume rm").when(force, "-f").names(names)
}

/// `docker volume prune -a`: all unused volumes, not only those without a name.
pub fn volume_prune(all: bool) -> String {
    Line::docker("volume prune").when(all, "-a").end()
}

/// `docker volume ls --filter dangling=true`.
pub fn volume_ls(filters: &[(&str, &str)]) -> String {
    Line::docker("volume ls").settings("--filter", filters).end()
}

/// `docker volume inspect data`.
pub fn volume_inspect(names: &[&str]) -> String {
    Line::docker("volume inspect").names(names)
}

/// What a network is made with.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewNetwork<'a> {
    /// The driver; bridge where none is said.
    pub driver: Option<&'a str>,
    /// Subnet, gateway and range of each; what is empty is not said.
    pub ranges: &'a [(&'a str, &'a str, &'a str)],
    /// With addresses of IPv6.
    pub ipv6: bool,
    /// With no way out.
    pub internal: bool,
    /// Open to containers that are no services.
    pub attachable: bool,
    /// What is said to the driver.
    pub options: &'a [(&'a str, &'a str)],
    /// Its labels.
    pub labels: &'a [(&'a str, &'a str)],
}

/// `docker network create -d bridge --subnet 10.1.0.0/16 shop`.
pub fn network_create(name: &str, new: NewNetwork<'_>) -> String {
    let said = |value: &'static str| move |text: &str| (!text.is_empty()).then(|| (value, text.to_owned()));
    let line = new.ranges.iter().fold(Line::docker("network create").option("-d", new.driver), |line, range| {
        let parts = [said("--subnet")(range.0), said("--gateway")(range.1), said("--ip-range")(range.2)];
        parts.into_iter().flatten().fold(line, |line, (flag, value)| line.option(flag, Some(value)))
    });
    line.when(new.ipv6, "--ipv6")
        .when(new.internal, "--internal")
        .when(new.attachable, "--attachable")
        .settings("-o", new.options)
        .settings("--label", new.labels)
        .names(&[name])
}

/// `docker network connect --alias db --ip 10.1.0.5 shop web`.
pub fn network_connect(
    network: &str,
    container: &str,
    aliases: &[&str],
    ipv4: Option<&str>,
    ipv6: Option<&str>,
) -> String {
    let line = aliases.iter().fold(Line::docker("network connect"), |line, alias| line.option("--alias", Some(alias)));
    line.option("--ip", ipv4).option("--ip6", ipv6).names(&[network, container])
}

/// `docker network disconnect -f shop web`.
pub fn network_disconnect(network: &str, container: &str, force: bool) -> String {
    Line::docker("network disconnect").when(force, "-f").names(&[network, container])
}

/// `docker network rm shop`.
pub fn network_rm(names: &[&str]) -> String {
    Line::docker("network rm").names(names)
}

/// `docker network prune`: all that no running container is on.
pub fn network_prune() -> String {
    Line::docker("network prune").end()
}

/// `docker network ls --filter driver=bridge`.
pub fn network_ls(filters: &[(&str, &str)]) -> String {
    Line::docker("network ls").settings("--filter", filters).end()
}

/// `docker network inspect shop`.
pub fn network_inspect(names: &[&str]) -> String {
    Line::docker("network inspect").names(names)
}

/// `docker events --since 10m --filter type=container`.
pub fn events(since: Option<&str>, until: Option<&str>, filters: &[(&str, &str)]) -> String {
    Line::docker("events").option("--since", since).option("--until", until).settings("--filter", filters).end()
}

/// `docker info`.
pub fn info() -> String {
    Line::docker("info").end()
}

/// `docker version`.
pub fn version() -> String {
    Line::docker("version").end()
}

/// `docker system df -v`.
pub fn system_df() -> String {
    Line::docker("system df -v").end()
}

/// `docker system prune -a --volumes --filter until=24h`.
pub fn system_prune(all: bool, volumes: bool, filters: &[(&str, &str)]) -> String {
    Line::docker("system prune").when(all, "-a").when(volumes, "--volumes").settings("--filter", filters).end()
}

/// `docker builder prune -a --filter id=...`.
pub fn builder_prune(filters: &[(&str, &str)]) -> String {
    Line::docker("builder prune -a").settings("--filter", filters).end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers() {
        assert_eq!(start(&["web", "db"]), "docker start web db");
        assert_eq!(stop(&["web"], None), "docker stop web");
        assert_eq!(stop(&["web"], Some(-1)), "docker stop -t -1 web");
        assert_eq!(restart(&["web"], Some(30)), "docker restart -t 30 web");
        assert_eq!(kill(&["web"], Some("HUP")), "docker kill -s HUP web");
        assert_eq!(rename("web", "shop"), "docker rename web shop");
        assert_eq!(rm(&["web"], false, false, false), "docker rm web");
        assert_eq!(rm(&["web", "db"], true, true, false), "docker rm -fv web db");
        assert_eq!(rm(&["web/db"], false, false, true), "docker rm -l web/db");
        assert_eq!(ps(true, &[("label", "note=two words")]), "docker ps -a --filter 'label=note=two words'");
        assert_eq!(logs("web", Logs { follow: true, tail: Some(100), ..Logs::default() }), "docker logs -f -n 100 web");
        let last = Logs { tail: Some(200), ..Logs::default() };
        assert_eq!(logs_of("web", last, None, None), "docker logs -n 200 web");
        assert_eq!(logs_of("web", Logs::default(), Some(Kept::Stderr), None), "docker logs web 2>&1 >/dev/null");
        assert_eq!(logs_of("web", last, Some(Kept::Stderr), None), "docker logs web 2>&1 >/dev/null | tail -n 200");
        assert_eq!(logs_of("web", last, Some(Kept::Stdout), None), "docker logs web 2>/dev/null | tail -n 200");
        let past = Logs { until: Some("10m"), ..last };
        assert_eq!(logs_of("web", past, None, None), "docker logs --until 10m web 2>&1 | tail -n 200");
        let parts = ["it's full".to_owned(), "a.b".to_owned()];
        let grep = Grep { parts: &parts[..1], is_regex: false, has_case: false, is_not: false, context: 2 };
        let greps = |grep: Grep<'_>| logs_of("web", Logs::default(), None, Some(grep));
        assert_eq!(greps(grep), "docker logs web 2>&1 | grep -i -C 2 -F -- \"it's full\"");
        let both = Grep { parts: &parts, context: 0, has_case: true, ..grep };
        assert_eq!(greps(both), "docker logs web 2>&1 | grep -F -- \"it's full\" | grep -F -- a.b");
        let words = ["x".to_owned(), "a.b".to_owned()];
        let neither = greps(Grep { parts: &words, is_not: true, ..both });
        assert!(neither.contains("| grep -v -P -- ") && neither.contains(r"^(?=.*x)(?=.*a\.b)"), "{neither}");
        let regex = greps(Grep { parts: &parts[1..], is_regex: true, ..grep });
        assert_eq!(regex, "docker logs web 2>&1 | grep -i -C 2 -P -- a.b");
        assert_eq!(
            update(&[("memory", "512m"), ("restart", "no")], "web"),
            "docker update --memory 512m --restart no web"
        );
        assert_eq!(
            exec("web", Some("root"), Some("/my files"), &["sh", "-c", "ls *"]),
            "docker exec -it -u root -w '/my files' web sh -c 'ls *'"
        );
        assert_eq!(exec("web", None, None, &["sh"]), "docker exec -it web sh");
        assert_eq!(attach("web", false), "docker attach web");
        assert_eq!(attach("web", true), "docker attach --no-stdin --sig-proxy=false web");
        assert_eq!(top("web", "-eo pid,args"), "docker top web -eo pid,args");
        assert_eq!(diff("web"), "docker diff web");
        let changes = ["CMD [\"ls\"]".to_owned()];
        let what = Commit { message: Some("it works"), changes: &changes, no_pause: true, ..Commit::default() };
        assert_eq!(commit("web", "a:1", what), "docker commit -m 'it works' -c 'CMD [\"ls\"]' --pause=false web a:1");
        assert_eq!(export("web", "web.tar", false), "docker export -o web.tar web");
        assert_eq!(export("web", "web.tar.gz", true), "docker export web | gzip > web.tar.gz");
    }

    #[test]
    fn volumes() {
        assert_eq!(volume_create(None, None, &[], &[]), "docker volume create");
        assert_eq!(
            volume_create(
                Some("nas"),
                Some("local"),
                &[("type", "nfs"), ("o", "addr=10.0.0.2,rw")],
                &[("team", "shop")]
            ),
            "docker volume create -d local -o type=nfs -o o=addr=10.0.0.2,rw --label team=shop nas"
        );
        assert_eq!(volume_rm(&["a", "b"], true), "docker volume rm -f a b");
        assert_eq!(volume_prune(true), "docker volume prune -a");
        assert_eq!(volume_ls(&[("dangling", "true")]), "docker volume ls --filter dangling=true");
    }

    #[test]
    fn networks() {
        let new = NewNetwork {
            driver: Some("bridge"),
            ranges: &[("10.1.0.0/16", "10.1.0.1", ""), ("fd00:1::/64", "", "")],
            ipv6: true,
            internal: true,
            labels: &[("note", "two words")],
            ..NewNetwork::default()
        };
        assert_eq!(
            network_create("shop", new),
            "docker network create -d bridge --subnet 10.1.0.0/16 --gateway 10.1.0.1 --subnet fd00:1::/64 --ipv6 --internal --label 'note=two words' shop"
        );
        assert_eq!(
            network_connect("shop", "web", &["www"], Some("10.1.0.5"), None),
            "docker network connect --alias www --ip 10.1.0.5 shop web"
        );
        assert_eq!(network_disconnect("<img>", "web", true), "docker network disconnect -f '<img>' web");
    }

    #[test]
    fn images() {
        assert_eq!(image_ls(&[("dangling", "true")]), "docker image ls --filter dangling=true");
        assert_eq!(rmi(&["a:1", "b:2"], true), "docker rmi -f a:1 b:2");
        assert_eq!(image_prune(true, Some("24h")), "docker image prune -a --filter until=24h");
        assert_eq!(save(&["a:1", "b"], "x.tar"), "docker save -o x.tar a:1 b");
        assert_eq!(
            import("x.tar", Some("a:1"), &["CMD [\"sh\"]".to_owned()], Some("it works")),
            "docker import -c 'CMD [\"sh\"]' -m 'it works' x.tar a:1"
        );
        assert_eq!(pull("nginx", None, true), "docker pull -a nginx");
        assert_eq!(manifests(&["a"]), "docker manifest inspect -v a");
    }

    #[test]
    fn files() {
        assert_eq!(cp_from("web", "/a b"), "docker cp 'web:/a b' .");
        assert_eq!(cp_to("web", "x", "/"), "docker cp x web:/");
        assert_eq!(cp_to("web", "-x:y", "/etc"), "docker cp ./-x:y web:/etc/");
        assert_eq!(exec_root("web", &["rm", "-r", "--", "/a"]), "docker exec -u 0 web rm -r -- /a");
        assert_eq!(
            volume_backup("data", "/volume", "data.tar.gz"),
            "docker run --rm -v data:/volume:ro busybox tar -C /volume -cz . > data.tar.gz"
        );
        assert_eq!(
            volume_restore("data", "data.tar.gz"),
            "docker run --rm -i -v data:/volume busybox tar -C /volume -xz < data.tar.gz"
        );
    }

    #[test]
    fn system() {
        assert_eq!(system_df(), "docker system df -v");
        assert_eq!(
            system_prune(true, true, &[("label!", "keep=yes")]),
            "docker system prune -a --volumes --filter 'label!=keep=yes'"
        );
        assert_eq!(
            events(Some("10m"), None, &[("type", "container")]),
            "docker events --since 10m --filter type=container"
        );
        assert_eq!(pull("nginx", Some("linux/arm64"), false), "docker pull --platform linux/arm64 nginx");
    }
}
