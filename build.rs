//! Puts `static/` into the binary: each file under a name that holds its hash, raw and compressed, so that a browser
//! keeps it for a year and a new version is a new name.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=static");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    collect(Path::new("static"), &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix("static")?.to_string_lossy().replace('/', "-");
        let Some((stem, kind)) = name.rsplit_once('.') else {
            continue;
        };
        let mime = match kind {
            "css" => "text/css; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => continue,
        };
        let raw = fs::read(&file)?;
        let hash = Sha256::digest(&raw)
            .iter()
            .take(6)
            .try_fold(String::new(), |mut hex, byte| write!(hex, "{byte:02x}").map(|()| hex))?;
        let at = out.join(&name);
        fs::write(&at, &raw)?;
        let mut brotli = Vec::new();
        brotli::BrotliCompress(
            &mut raw.as_slice(),
            &mut brotli,
            &brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() },
        )?;
        fs::write(at.with_extension(format!("{kind}.br")), brotli)?;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&raw)?;
        fs::write(at.with_extension(format!("{kind}.gz")), gzip.finish()?)?;
        let at = at.display();
        writeln!(
            table,
            "Asset {{ name: {name:?}, hashed: \"{stem}.{hash}.{kind}\", mime: {mime:?}, raw: include_bytes!(\"{at}\"), \
             brotli: include_bytes!(\"{at}.br\"), gzip: include_bytes!(\"{at}.gz\") }},"
        )?;
    }
    table.push(']');
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
