//! Known holes of engines and of what they consist of, by version: a table in the program, so that no request leaves
//! the house (S090). It has what lets somebody out of a container, past an authorization, or at what is not theirs; not
//! each way to slow an engine down.
//!
//! A package of a distribution may have a fix under the old number: a notice says so, and no more than that a number
//! is one of those.

use super::Version;

/// A part of an engine that has holes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Docker's engine.
    Engine,
    /// Podman.
    Podman,
    /// What keeps images and starts containers for Docker.
    Containerd,
    /// What makes a container out of a process.
    Runc,
    /// Docker Desktop, around the engine.
    Desktop,
}

/// A hole that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its numbers.
    pub ids: &'static [&'static str],
    /// Where.
    pub part: Part,
    /// What it lets whom do.
    pub about: &'static str,
    /// The first version that has it, where not all before the fix do.
    from: &'static str,
    /// The versions that end it, one for each line of releases that got a fix, oldest first.
    pub fixed: &'static [&'static str],
    /// Where that stands.
    pub source: &'static str,
}

/// A release: its numbers, and whether it is a finished one.
pub type Step = (u32, u32, u32, bool);

const fn hole(
    part: Part,
    ids: &'static [&'static str],
    fixed: &'static [&'static str],
    about: &'static str,
    source: &'static str,
) -> Advisory {
    Advisory { ids, part, about, from: "", fixed, source }
}

/// All that are known here, newest first. The versions are those of the sources; checked in November 2026, for what was
/// mended in several lines of releases also against who took the fix over: golang/vulndb 3880 and 3882 (25.0.13),
/// containerd/zfs 89 (containerd 2.0.7), containerd/containerd 8901, 10668 and 12475 (containerd 1.5.18 and 1.6.18, runc
/// 1.1.14 and 1.3.3), docker/containerd-packaging 313 (runc 1.1.5). Holes of containerd's CRI, which Docker does not use,
/// are left out (CVE-2025-64329, CVE-2026-53488, CVE-2026-53492), and so is CVE-2026-41579 of runc, which Docker is not
/// open to.
const ADVISORIES: &[Advisory] = &[
    hole(
        Part::Engine,
        &["CVE-2026-41567"],
        &["29.5.1"],
        "A compressed archive that is copied into a container is unpacked by a program out of that container, on the host.",
        "https://github.com/moby/moby/security/advisories/GHSA-x86f-5xw2-fm2r",
    ),
    hole(
        Part::Engine,
        &["CVE-2026-41568"],
        &["29.5.1"],
        "While docker cp runs, a container can make empty files anywhere on the host.",
        "https://github.com/moby/moby/security/advisories/GHSA-vp62-88p7-qqf5",
    ),
    hole(
        Part::Engine,
        &["CVE-2026-42306"],
        &["29.5.1"],
        "While docker cp runs, a container can have a mount of its own put over any path of the host.",
        "https://github.com/moby/moby/security/advisories/GHSA-rg2x-37c3-w2rh",
    ),
    hole(
        Part::Engine,
        &["CVE-2026-34040"],
        &["29.3.1"],
        "A request that is too large reaches an authorization plugin without its body. It matters where such a plugin decides by it.",
        "https://github.com/moby/moby/security/advisories/GHSA-x744-4wpc-v9h2",
    ),
    hole(
        Part::Engine,
        &["CVE-2026-33997"],
        &["29.3.1"],
        "docker plugin install may grant a plugin other privileges than those that were agreed to. It matters where plugins are installed.",
        "https://github.com/moby/moby/security/advisories/GHSA-pxq6-2prw-chj9",
    ),
    Advisory {
        from: "28.2.0",
        ..hole(
            Part::Engine,
            &["CVE-2025-54388"],
            &["28.3.3"],
            "After firewalld reloads, ports that were published on this machine's own address are open to the network.",
            "https://github.com/moby/moby/security/advisories/GHSA-x4rx-4gw3-53p4",
        )
    },
    hole(
        Part::Engine,
        &["CVE-2025-54410"],
        &["25.0.13", "28.0.0"],
        "After firewalld reloads, containers of one bridge network reach those of another.",
        "https://github.com/moby/moby/security/advisories/GHSA-4vq8-7jfc-9cvp",
    ),
    hole(
        Part::Engine,
        &["CVE-2024-41110"],
        &["23.0.15", "25.0.6", "26.1.5", "27.1.1"],
        "A request without a length gets past an authorization plugin. It matters where such a plugin is used.",
        "https://github.com/moby/moby/security/advisories/GHSA-v23v-6jw2-98fq",
    ),
    Advisory {
        from: "26.0.0",
        ..hole(
            Part::Engine,
            &["CVE-2024-32473"],
            &["26.0.2"],
            "Containers on networks without IPv6 have IPv6 all the same, past what guards IPv4.",
            "https://github.com/moby/moby/security/advisories/GHSA-x84c-p2g9-rqv9",
        )
    },
    hole(
        Part::Engine,
        &["CVE-2024-29018"],
        &["23.0.11", "25.0.5", "26.0.0"],
        "Containers that are only on an internal network can send data out through names that they look up.",
        "https://github.com/moby/moby/security/advisories/GHSA-mq39-4gv4-mvpx",
    ),
    hole(
        Part::Engine,
        &["CVE-2024-24557"],
        &["24.0.9", "25.0.2"],
        "The classic builder can be made to use a step out of its cache that belongs to another image.",
        "https://github.com/moby/moby/security/advisories/GHSA-xw73-rw38-6vjc",
    ),
    hole(
        Part::Engine,
        &["CVE-2024-23650", "CVE-2024-23651", "CVE-2024-23652", "CVE-2024-23653"],
        &["25.0.2"],
        "A Dockerfile of somebody else, or the image that it builds on, can reach files of the host while it is built.",
        "https://docs.docker.com/engine/release-notes/25.0/#2502",
    ),
    hole(
        Part::Engine,
        &["CVE-2023-28840", "CVE-2023-28841", "CVE-2023-28842"],
        &["20.10.24", "23.0.3"],
        "Encrypted overlay networks of a swarm may be neither encrypted nor closed to others.",
        "https://github.com/moby/moby/security/advisories/GHSA-232p-vwff-86mp",
    ),
    hole(
        Part::Runc,
        &["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"],
        &["1.2.8", "1.3.3", "1.4.0"],
        "An image that was made for it can write to files of the host through /dev and /proc while its container starts: a way out.",
        "https://github.com/opencontainers/runc/security/advisories/GHSA-9493-h29p-rfm2",
    ),
    hole(
        Part::Runc,
        &["CVE-2024-45310"],
        &["1.1.14", "1.2.0"],
        "A container that shares a volume with another can make empty files on the host.",
        "https://github.com/opencontainers/runc/security/advisories/GHSA-jfvp-7x6p-h2pv",
    ),
    hole(
        Part::Runc,
        &["CVE-2024-21626"],
        &["1.1.12"],
        "An image, or a docker exec with a working directory, can get at the host's files: a way out.",
        "https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv",
    ),
    hole(
        Part::Runc,
        &["CVE-2023-27561", "CVE-2023-28642"],
        &["1.1.5"],
        "A container with a link in its /proc or /sys starts without AppArmor or SELinux.",
        "https://github.com/opencontainers/runc/security/advisories/GHSA-g2j6-57v7-gm8c",
    ),
    hole(
        Part::Containerd,
        &["CVE-2024-25621"],
        &["1.7.29", "2.0.7", "2.1.5", "2.2.0"],
        "Users of the host can read what containerd keeps.",
        "https://github.com/containerd/containerd/security/advisories/GHSA-pwhc-rpq9-4c8w",
    ),
    hole(
        Part::Containerd,
        &["CVE-2024-40635"],
        &["1.6.38", "1.7.27", "2.0.4"],
        "An image with a very large user number runs as root in its container.",
        "https://github.com/containerd/containerd/security/advisories/GHSA-265r-hfxg-fhmg",
    ),
    hole(
        Part::Containerd,
        &["CVE-2023-25153", "CVE-2023-25173"],
        &["1.5.18", "1.6.18"],
        "Processes of a container keep groups that they should not have; an image that is loaded can use up memory.",
        "https://github.com/containerd/containerd/security/advisories/GHSA-hmfx-3pcx-653p",
    ),
    hole(
        Part::Podman,
        &["CVE-2025-9566"],
        &["5.6.1"],
        "podman kube play with a file of somebody else can overwrite files of the host.",
        "https://github.com/advisories/GHSA-wp3j-xq48-xpjw",
    ),
    hole(
        Part::Podman,
        &["CVE-2024-9675", "CVE-2024-9676"],
        &["5.2.5"],
        "A Dockerfile of somebody else can reach files of the host through a cache mount.",
        "https://github.com/containers/podman/releases/tag/v5.2.5",
    ),
    hole(
        Part::Podman,
        &["CVE-2024-9407", "CVE-2024-9341"],
        &["5.2.4"],
        "A Dockerfile or an image of somebody else can have folders of the host mounted.",
        "https://github.com/containers/podman/releases/tag/v5.2.4",
    ),
    hole(
        Part::Podman,
        &["CVE-2024-1753"],
        &["4.9.4", "5.0.0"],
        "A Dockerfile of somebody else can mount the host's whole file system while it is built: a way out.",
        "https://github.com/containers/podman/security/advisories/GHSA-874v-pj72-92f3",
    ),
    hole(
        Part::Desktop,
        &["CVE-2025-9074"],
        &["4.44.3"],
        "Every container reaches the engine's API, and so the host.",
        "https://docs.docker.com/desktop/release-notes/#4443",
    ),
];

impl Part {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "Docker Engine",
            Self::Podman => "Podman",
            Self::Containerd => "containerd",
            Self::Runc => "runc",
            Self::Desktop => "Docker Desktop",
        }
    }

    fn of(component: &str) -> Option<Self> {
        match component {
            "Engine" => Some(Self::Engine),
            "Podman Engine" => Some(Self::Podman),
            "containerd" => Some(Self::Containerd),
            "runc" | "OCI Runtime (runc)" => Some(Self::Runc),
            _ => None,
        }
    }
}

/// The numbers of a version: `28.5.2+dfsg4`, `1.6.20~ds1`, `v2.1.9`, `1.4.0-rc.2`.
fn release(text: &str) -> Option<Step> {
    let text = text.trim().trim_start_matches('v');
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut numbers = numbers.split('.').map(|number| number.parse().ok());
    let (major, minor) = (numbers.next()??, numbers.next()??);
    let patch = numbers.next().flatten().unwrap_or(0);
    let is_final = !["rc", "beta", "alpha", "dev"].iter().any(|word| rest.contains(word));
    Some((major, minor, patch, is_final))
}

impl Advisory {
    /// Whether this version has it.
    fn is_in(&self, version: Step) -> bool {
        let fixed: Vec<Step> = self.fixed.iter().filter_map(|fixed| release(fixed)).collect();
        let is_of = |fixed: &&Step| (fixed.0, fixed.1) == (version.0, version.1);
        let is_mended = match fixed.iter().find(is_of) {
            Some(of_this_line) => version >= *of_this_line,
            None => fixed.last().is_none_or(|newest| version >= *newest),
        };
        !is_mended && release(self.from).is_none_or(|from| version >= from)
    }
}

impl Version {
    /// The holes that are known of this version, and of what it consists of, each with the version that has it.
    pub fn advisories(&self) -> Vec<(&'static Advisory, String)> {
        let components = self.components.iter();
        let parts = components.filter_map(|component| Some((Part::of(&component.name)?, component.version())));
        let desktop = self.platform.name.strip_prefix("Docker Desktop ").map(|rest| (Part::Desktop, rest));
        // Engines from before version 17.06 tell no components.
        let bare = self.components.is_empty().then_some((Part::Engine, self.version.as_str()));
        let parts: Vec<_> = parts.chain(desktop).chain(bare).collect();
        let of = |advisory: &'static Advisory| {
            let version = parts.iter().find(|(part, _)| *part == advisory.part)?.1;
            let word = version.split(' ').next().unwrap_or_default();
            release(word).is_some_and(|step| advisory.is_in(step)).then(|| (advisory, word.to_owned()))
        };
        ADVISORIES.iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(parts: &[(&str, &str)]) -> Vec<&'static str> {
        let components: Vec<_> =
            parts.iter().map(|(name, version)| serde_json::json!({"Name": name, "Version": version})).collect();
        let version: Version = serde_json::from_value(serde_json::json!({"Components": components})).unwrap();
        version.advisories().iter().flat_map(|(advisory, _)| advisory.ids.iter().copied()).collect()
    }

    #[test]
    fn s090_a_version_has_the_holes_that_are_known_of_it() {
        let old = ids(&[("Engine", "28.5.2+dfsg4"), ("runc", "1.1.5+ds1")]);
        for id in [
            "CVE-2024-21626",
            "CVE-2025-31133",
            "CVE-2025-52565",
            "CVE-2025-52881",
            "CVE-2026-34040",
            "CVE-2026-33997",
            "CVE-2026-41567",
            "CVE-2026-41568",
            "CVE-2026-42306",
        ] {
            assert!(old.contains(&id), "{id}: {old:?}");
        }
        for id in ["CVE-2025-54388", "CVE-2024-41110", "CVE-2023-27561"] {
            assert!(!old.contains(&id), "{id}: {old:?}");
        }
        assert_eq!(ids(&[("Engine", "29.7.1"), ("runc", "1.3.3"), ("containerd", "v2.2.1")]), [""; 0]);
        assert_eq!(ids(&[("Engine", "29.7.1"), ("runc", "1.2.8")]), [""; 0]);
        assert!(ids(&[("runc", "1.4.0-rc.2")]).contains(&"CVE-2025-52881"));
        assert!(ids(&[("OCI Runtime (runc)", "runc version 1.1.5+ds1\ncommit: 1.1.5")]).contains(&"CVE-2024-21626"));
    }

    #[test]
    fn s090_each_line_of_releases_has_its_own_fix() {
        let has = |version: &str, id: &str| ids(&[("Engine", version)]).contains(&id);
        for (version, is) in [
            ("25.0.5", true),
            ("25.0.6", false),
            ("26.0.9", true),
            ("26.1.5", false),
            ("27.1.0", true),
            ("27.2.0", false),
        ] {
            assert_eq!(has(version, "CVE-2024-41110"), is, "{version}");
        }
        for (version, is) in [("28.1.1", false), ("28.2.0", true), ("28.3.2", true), ("28.3.3", false)] {
            assert_eq!(has(version, "CVE-2025-54388"), is, "{version}");
        }
        assert!(has("20.10.24+dfsg1", "CVE-2024-29018") && !has("20.10.24+dfsg1", "CVE-2023-28840"));
    }

    #[test]
    fn s090_desktop_is_known_by_its_platform() {
        let of = |name: &str| {
            let version: Version =
                serde_json::from_value(serde_json::json!({"Platform": {"Name": name}, "Components": [{"Name": "x"}]}))
                    .unwrap();
            version.advisories().len()
        };
        assert_eq!(of("Docker Desktop 4.44.2 (202017)"), 1);
        assert_eq!(of("Docker Desktop 4.44.3 (202357)"), 0);
        assert_eq!(of("Docker Engine - Community"), 0);
    }

    #[test]
    fn versions_are_read_as_they_are_written() {
        assert_eq!(release("1.6.20~ds1"), Some((1, 6, 20, true)));
        assert_eq!(release("v2.1"), Some((2, 1, 0, true)));
        assert_eq!(release("1.4.0-rc.2"), Some((1, 4, 0, false)));
        assert_eq!(release("dev"), None);
        for advisory in ADVISORIES {
            assert!(advisory.source.starts_with("https://") && !advisory.fixed.is_empty());
            let fixed: Vec<_> = advisory.fixed.iter().map(|fixed| release(fixed).unwrap()).collect();
            assert!(fixed.is_sorted(), "{:?}", advisory.ids);
        }
    }
}
