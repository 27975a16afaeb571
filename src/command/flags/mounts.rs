//! Volumes, folders of the host, file systems in memory.

use super::values::{Parsed, bytes, fields, setting, shown, switch};
use super::{Applied, Flag, add, insert, push, text};
use crate::engine::spec::{BindOptions, Mount, Spec, TmpfsOptions, VolumeOptions, opens_host};

const HOST_IS_OPEN: &str = "With this path of the host, a program in the container can take over the whole host.";

pub(super) const FLAGS: &[Flag] = &[
    Flag::list("volume", "Volumes and folders", "data:/var/lib/data", volume)
        .short('v')
        .danger_if(|value| value.split_once(':').is_some_and(|(source, _)| opens_host(source)), HOST_IS_OPEN)
        .help(
            "Where files outlive the container: volume:path for a volume, /folder/of/the/host:path for a folder \
             on the engine's host. With :ro behind, the container cannot write there.",
        ),
    Flag::list("mount", "Mounts", "type=volume,src=data,dst=/data", |spec, value| {
        push(&mut spec.host_config.mounts, mount(value))
    })
    .danger_if(
        |value| mount(value).is_ok_and(|mount| mount.r#type == "bind" && opens_host(&mount.source)),
        HOST_IS_OPEN,
    )
    .help("The long way to say it, with every option: type, src, dst, readonly and more."),
    Flag::list("tmpfs", "In memory", "/run:size=64m", tmpfs)
        .help("A folder that is kept in memory and is gone when the container stops."),
    Flag::list("volumes-from", "Volumes of another", "db:ro", |spec, value| {
        add(&mut spec.host_config.volumes_from, value)
    })
    .help("Mounts everything that another container mounts, at the same paths."),
    Flag::value("volume-driver", "Volume driver", "local", |spec, value| {
        text(&mut spec.host_config.volume_driver, value)
    })
    .help("The driver of volumes that do not exist yet."),
];

/// A path relative to a folder, or one that a shell would have completed, means nothing on the engine's host.
fn is_on_host(source: &str) -> Applied {
    if source.starts_with('$') || source.starts_with('`') {
        Err(format!(
            "{source} would have been replaced by a shell; write the path as it is on the engine's host, beginning with /"
        ))
    } else if source.starts_with('.') {
        Err(format!("the path is on the engine's host and must be absolute: begin it with /, not {source}"))
    } else {
        Ok(())
    }
}

/// `[source:]path[:options]`; a letter before a colon is a drive of Windows, not a source.
fn volume(spec: &mut Spec, value: &str) -> Applied {
    let parts = colon_parts(value);
    if value.is_empty() || parts.iter().any(String::is_empty) {
        return Err(format!("source:path is needed, such as data:/var/lib/data, not {}", shown(value)));
    }
    match parts.as_slice() {
        [_] => {
            spec.volumes.0.insert(value.to_owned());
        }
        [source, _] | [source, _, _] => {
            is_on_host(source)?;
            if !spec.host_config.binds.iter().any(|bind| bind == value) {
                add(&mut spec.host_config.binds, value)?;
            }
        }
        _ => return Err(format!("there are too many colons in {value}")),
    }
    Ok(())
}

fn colon_parts(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    // Docker takes one or two characters for a path, whatever they are.
    if value.chars().count() <= 2 {
        return vec![value.to_owned()];
    }
    for c in value.chars() {
        let Some(part) = parts.last_mut() else { break };
        let drive = part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
        if c == ':' && !drive { parts.push(String::new()) } else { part.push(c) }
    }
    parts
}

/// `/run` or `/run:size=64m`; the engine checks the options when it mounts.
fn tmpfs(spec: &mut Spec, value: &str) -> Applied {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    insert(&mut spec.host_config.tmpfs, Ok((path.to_owned(), options.to_owned())))
}

/// `type=bind,src=/srv,dst=/data,readonly`, fields in any order.
fn mount(value: &str) -> Parsed<Mount> {
    let mut mount = Mount { r#type: "volume".to_owned(), ..Mount::default() };
    let mut recursive = String::new();
    for field in fields(value)? {
        // The names are read in small letters. Source: docker CLI 28.2, `opts/mount.go`.
        let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(key, value)| (key, Some(value)));
        let key = &*key.to_lowercase();
        let (key, value) = match value {
            Some(value) => (key, value),
            None if matches!(key, "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive") => (key, "true"),
            None => {
                return Err(format!("name=value is needed between the commas, not {}", shown(&field)));
            }
        };
        if key == "bind-recursive" {
            value.clone_into(&mut recursive);
            bind(&mut mount);
        } else if !mount_field(&mut mount, key, value).map_err(|error| format!("{key}: {error}"))? {
            return Err(format!("a mount has no {}", shown(key)));
        }
    }
    set_recursion(&mut mount, &recursive)?;
    check(&mount)?;
    Ok(mount)
}

/// What an engine can mount.
const TYPES: [&str; 6] = ["bind", "volume", "tmpfs", "image", "npipe", "cluster"];

/// Sets one field; `false` if there is none of that name.
fn mount_field(mount: &mut Mount, key: &str, value: &str) -> Parsed<bool> {
    match key {
        "type" => {
            mount.r#type = value.to_ascii_lowercase();
            if !TYPES.contains(&mount.r#type.as_str()) {
                return Err(format!("it is one of {}, not {}", TYPES.join(", "), shown(value)));
            }
        }
        "source" | "src" => {
            is_on_host(value)?;
            text(&mut mount.source, value)?;
        }
        "target" | "dst" | "destination" => text(&mut mount.target, value)?,
        "readonly" | "ro" => mount.read_only = switch(value)?,
        "consistency" => mount.consistency = value.to_ascii_lowercase(),
        "bind-propagation" => bind(mount).propagation = value.to_ascii_lowercase(),
        "bind-nonrecursive" => bind(mount).non_recursive = switch(value)?,
        "volume-subpath" => text(&mut volume_options(mount).subpath, value)?,
        "volume-nocopy" => volume_options(mount).no_copy = switch(value)?,
        "volume-label" => insert(&mut volume_options(mount).labels, setting(value))?,
        "volume-driver" => text(&mut volume_options(mount).driver_config.name, value)?,
        "volume-opt" => insert(&mut volume_options(mount).driver_config.options, setting(value))?,
        "image-subpath" => text(&mut mount.image_options.get_or_insert_default().subpath, value)?,
        "tmpfs-size" => tmpfs_options(mount).size_bytes = bytes(value)?,
        "tmpfs-mode" => {
            tmpfs_options(mount).mode = u32::from_str_radix(value, 8)
                .map_err(|_| format!("octal permissions such as 1770 are needed, not {value}"))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn bind(mount: &mut Mount) -> &mut BindOptions {
    mount.bind_options.get_or_insert_default()
}

fn volume_options(mount: &mut Mount) -> &mut VolumeOptions {
    mount.volume_options.get_or_insert_default()
}

fn tmpfs_options(mount: &mut Mount) -> &mut TmpfsOptions {
    mount.tmpfs_options.get_or_insert_default()
}

/// What becomes of what is mounted below a bind.
fn set_recursion(mount: &mut Mount, recursive: &str) -> Applied {
    let (read_only, private) =
        (mount.read_only, mount.bind_options.as_ref().is_some_and(|o| o.propagation == "rprivate"));
    match recursive {
        "" | "enabled" => {}
        "disabled" => bind(mount).non_recursive = true,
        "writable" | "readonly" if !read_only => {
            return Err(format!("bind-recursive={recursive} needs readonly beside it"));
        }
        "writable" => bind(mount).read_only_non_recursive = true,
        "readonly" if !private => {
            return Err("bind-recursive=readonly needs bind-propagation=rprivate beside it".to_owned());
        }
        "readonly" => bind(mount).read_only_force_recursive = true,
        other => {
            return Err(format!("bind-recursive is enabled, disabled, writable or readonly, not {other}"));
        }
    }
    Ok(())
}

fn check(mount: &Mount) -> Applied {
    if mount.target.is_empty() {
        return Err("dst= is missing: where it appears in the container".to_owned());
    }
    let kind = mount.r#type.as_str();
    if kind.is_empty() {
        return Err("type= is empty; it is bind, volume, tmpfs or image".to_owned());
    }
    let strangers = [
        ("volume", mount.volume_options.is_some()),
        ("bind", mount.bind_options.is_some()),
        ("image", mount.image_options.is_some()),
        ("tmpfs", mount.tmpfs_options.is_some()),
    ];
    match strangers.into_iter().find(|(of, set)| *set && *of != kind) {
        Some((of, _)) => Err(format!("options of a {of} do not go with type={kind}")),
        None => Ok(()),
    }
}
