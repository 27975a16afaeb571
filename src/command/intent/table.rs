//! The docker commands that are understood, each with its flags: docker CLI 28's, and podman's where they are the same.

use super::{Ask, Noun};

/// A docker command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Its names, the shortest first: `stop`, `container stop`. Some are only what people say: `remove`.
    pub names: &'static [&'static str],
    /// What it asks for.
    pub ask: Ask,
    /// What stands after it, as docker's help writes it.
    pub takes: &'static str,
    /// Its flags, by blanks: `f:force` is a switch with a letter, `since=` takes a value. What begins with `~` only
    /// matters in a terminal, what begins with `!` has no place on a page.
    pub flags: &'static str,
}

impl Command {
    /// What people call it.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether everything after its first word belongs to something else.
    pub(super) fn ends_at_a_word(&self) -> bool {
        matches!(self.ask, Ask::Exec | Ask::Top)
    }
}

const fn row(names: &'static [&'static str], ask: Ask, takes: &'static str, flags: &'static str) -> Command {
    Command { names, ask, takes, flags }
}

/// Where this console has nothing: the first word of a command, and what to say.
pub(super) const NOWHERE: &[(&str, &str)] = &[
    ("swarm", NO_SWARM),
    ("service", NO_SWARM),
    ("stack", NO_SWARM),
    ("node", NO_SWARM),
    ("secret", NO_SWARM),
    ("config", NO_SWARM),
    (
        "compose",
        "This console runs no compose files. The containers of a project stand together in the list of containers.",
    ),
    ("context", "This console has one engine, the one that it was started with (--engine): there are no contexts."),
    ("plugin", "This console has no page for plugins."),
    ("trust", "This console does not sign images."),
    ("manifest", "This console has no page for manifests. The page of an image says what its registry has."),
    ("checkpoint", "This console makes no checkpoints."),
    ("wait", "This console waits for nothing: the page of a container says by itself when it has ended, and how."),
    ("buildx", "This console has no page for builders: docker build, and docker builder prune, are understood."),
    ("builder", "This console has no page for builders: docker build, and docker builder prune, are understood."),
    ("scout", "This console has no page for what docker scout does."),
    ("pod", "This console has no page for pods."),
    ("machine", "This console has no page for virtual machines."),
];

const NO_SWARM: &str = "This console has no pages for swarms: stacks, services, nodes, secrets and configs.";

/// What is understood, the likeliest first.
pub const COMMANDS: &[Command] = &[
    row(&["run", "container run"], Ask::Make, "IMAGE [COMMAND…]", ""),
    row(&["create", "container create"], Ask::Make, "IMAGE [COMMAND…]", ""),
    row(
        &["ps", "container ls", "container list", "container ps", "ls"],
        Ask::Containers,
        "",
        "a:all f:filter= ~q:quiet ~no-trunc ~format= ~s:size !n:last= !l:latest",
    ),
    row(&["start", "container start"], Ask::Act, ONES, "~a:attach ~i:interactive ~detach-keys="),
    row(&["stop", "container stop"], Ask::Act, ONES, "t:timeout= time= !s:signal="),
    row(&["restart", "container restart"], Ask::Act, ONES, "t:timeout= time= !s:signal="),
    row(&["kill", "container kill"], Ask::Act, ONES, "s:signal="),
    row(&["pause", "container pause"], Ask::Act, ONES, ""),
    row(&["unpause", "container unpause"], Ask::Act, ONES, ""),
    row(&["rename", "container rename"], Ask::Act, "CONTAINER NEW_NAME", ""),
    row(&["rm", "container rm", "container remove", "remove"], Ask::Act, ONES, "f:force v:volumes l:link"),
    row(&["logs", "container logs", "log"], Ask::Logs, ONE, "~f:follow n:tail= since= until= ~t:timestamps !details"),
    row(
        &["exec", "container exec", "terminal", "shell"],
        Ask::Exec,
        "CONTAINER [COMMAND…]",
        "~i:interactive ~t:tty u:user= w:workdir= ~detach-keys= !d:detach !e:env= !env-file= !privileged",
    ),
    row(&["attach", "container attach"], Ask::Attach, ONE, "~no-stdin ~sig-proxy ~detach-keys="),
    row(&["top", "container top", "processes"], Ask::Top, "CONTAINER", ""),
    row(&["stats", "container stats"], Ask::Stats, "[CONTAINER…]", "~a:all ~no-stream ~no-trunc ~format="),
    row(
        &["update", "container update", "limits"],
        Ask::Update,
        ONE,
        "m:memory= memory-swap= memory-reservation= cpus= c:cpu-shares= cpuset-cpus= pids-limit= restart= \
         !blkio-weight= !cpu-period= !cpu-quota= !cpu-rt-period= !cpu-rt-runtime= !cpuset-mems=",
    ),
    row(&["inspect"], Ask::Inspect(None), "NAME", "~f:format= ~s:size type="),
    row(&["container inspect"], Ask::Inspect(Some(Noun::Container)), ONE, "~f:format= ~s:size"),
    row(&["diff", "container diff", "changes"], Ask::Diff, ONE, ""),
    row(&["cp", "container cp", "files"], Ask::Files, "CONTAINER:PATH FILE", "~a:archive ~q:quiet ~L:follow-link"),
    row(&["port", "container port"], Ask::Port, ONE, ""),
    row(
        &["commit", "container commit"],
        Ask::Commit,
        "CONTAINER NAME[:TAG]",
        "m:message= a:author= c:change= p:pause no-pause",
    ),
    row(&["export", "container export"], Ask::Export, ONE, "~o:output="),
    row(&["container prune"], Ask::ContainerPrune, "", "~f:force !filter="),
    row(
        &["images", "image ls", "image list"],
        Ask::Images,
        "[NAME]",
        "f:filter= ~a:all ~q:quiet ~no-trunc ~digests ~format= ~tree",
    ),
    row(&["pull", "image pull"], Ask::Pull, "NAME[:TAG]", "a:all-tags platform= ~q:quiet ~disable-content-trust"),
    row(&["push", "image push"], Ask::Push, "NAME[:TAG]", "!a:all-tags !platform= ~q:quiet ~disable-content-trust"),
    row(&["rmi", "image rm", "image remove"], Ask::Rmi, "IMAGE…", "f:force !no-prune !platform="),
    row(&["tag", "image tag"], Ask::Tag, "IMAGE NAME[:TAG]", ""),
    row(
        &["build", "image build", "buildx build", "builder build"],
        Ask::Build,
        "PATH | ADDRESS",
        "t:tag= build-arg= f:file= target= platform= no-cache pull ~q:quiet ~progress= ~rm ~force-rm ~load \
         !add-host= !cache-from= !cache-to= !label= !network= !o:output= !push !secret= !ssh= !build-context= \
         !builder= !shm-size= !squash !ulimit= !m:memory= !iidfile= !provenance= !sbom=",
    ),
    row(&["save", "image save"], Ask::Save, "IMAGE…", "~o:output= !platform="),
    row(&["load", "image load"], Ask::Load, "", "~i:input= ~q:quiet !platform="),
    row(&["import", "image import"], Ask::Import, "FILE [NAME[:TAG]]", "!c:change= !m:message= !platform="),
    row(&["search"], Ask::Search, "WORD", "~limit= ~format= ~no-trunc !f:filter="),
    row(&["history", "image history"], Ask::History, "IMAGE", "~H:human ~no-trunc ~q:quiet ~format= !platform="),
    row(&["image inspect"], Ask::Inspect(Some(Noun::Image)), "IMAGE", "~f:format= !platform="),
    row(&["image prune"], Ask::ImagePrune, "", "a:all ~f:force filter="),
    row(&["volume ls", "volume list", "volumes"], Ask::Volumes, "", "f:filter= ~q:quiet ~format="),
    row(
        &["volume create"],
        Ask::VolumeCreate,
        "[NAME]",
        "d:driver= o:opt= label= !group= !limit-bytes= !required-bytes= !scope= !sharing= !type=",
    ),
    row(&["volume rm", "volume remove"], Ask::VolumeRemove, "VOLUME…", "~f:force"),
    row(&["volume inspect"], Ask::Inspect(Some(Noun::Volume)), "VOLUME", "~f:format="),
    row(&["volume prune"], Ask::VolumePrune, "", "a:all ~f:force !filter="),
    row(&["network ls", "network list", "networks"], Ask::Networks, "", "f:filter= ~q:quiet ~no-trunc ~format="),
    row(
        &["network create"],
        Ask::NetworkCreate,
        "NAME",
        "d:driver= subnet= gateway= ip-range= ipv6 internal attachable o:opt= label= \
         !aux-address= !config-from= !config-only !ingress !ipam-driver= !ipam-opt= !ipv4 !scope=",
    ),
    row(&["network rm", "network remove"], Ask::NetworkRemove, "NETWORK…", "~f:force"),
    row(
        &["network connect", "connect"],
        Ask::Connect,
        "NETWORK CONTAINER",
        "alias= ip= ip6= !driver-opt= !gw-priority= !link= !link-local-ip=",
    ),
    row(&["network disconnect", "disconnect"], Ask::Disconnect, "NETWORK CONTAINER", "!f:force"),
    row(&["network inspect"], Ask::Inspect(Some(Noun::Network)), "NETWORK", "~f:format= ~v:verbose"),
    row(&["network prune"], Ask::NetworkPrune, "", "~f:force !filter="),
    row(&["system df", "df"], Ask::Disk, "", "~v:verbose ~format="),
    row(&["info", "system info"], Ask::Engine, "", "~f:format="),
    row(&["version"], Ask::Engine, "", "~f:format="),
    row(&["events", "system events"], Ask::Events, "", "since= until= f:filter= ~format="),
    row(&["system prune", "prune"], Ask::SystemPrune, "", "a:all volumes filter= ~f:force"),
    row(&["builder prune", "buildx prune"], Ask::SystemPrune, "", "~a:all ~f:force !filter= !keep-storage="),
    row(&["login"], Ask::Login, "[REGISTRY]", "u:username= !p:password= !password-stdin"),
    row(&["logout"], Ask::Logout, "[REGISTRY]", ""),
];

const ONE: &str = "CONTAINER";
const ONES: &str = "CONTAINER…";
