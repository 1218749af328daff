//! The style sheet, the script and the mark: under names that have their digest, so that browsers may keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;
use crate::right::{Right, Route};

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Asset, |method| on(method, asset))];

/// Where assets are found.
const PATH: &str = "/assets/{name}";

/// A year, and no question whether it is still the same.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The paths of all assets.
#[derive(Debug)]
pub(crate) struct Assets {
    pub(crate) style: Asset,
    pub(crate) script: Asset,
    pub(crate) mark: Asset,
}

/// A file that is part of the binary.
#[derive(Debug)]
pub(crate) struct Asset {
    /// `gatepost.0123456789abcdef.css`
    name: String,
    kind: &'static str,
    octets: &'static [u8],
}

/// Digests are taken once.
static ALL: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: Asset::of("css", "text/css; charset=utf-8", include_bytes!("../assets/gatepost.css")),
    script: Asset::of("js", "text/javascript; charset=utf-8", include_bytes!("../assets/gatepost.js")),
    mark: Asset::of("svg", "image/svg+xml", include_bytes!("../assets/mark.svg")),
});

/// The assets there are.
pub(crate) fn all() -> &'static Assets {
    &ALL
}

impl Asset {
    fn of(ending: &str, kind: &'static str, octets: &'static [u8]) -> Self {
        let digest: String =
            Sha256::digest(octets).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
        Self { name: format!("gatepost.{digest}.{ending}"), kind, octets }
    }

    /// Where it is found.
    pub(crate) fn path(&self) -> String {
        PATH.replace("{name}", &self.name)
    }
}

async fn asset(Path(name): Path<String>) -> Response {
    let Assets { style, script, mark } = all();
    match [style, script, mark].into_iter().find(|asset| asset.name == name) {
        Some(asset) => {
            ([(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, FOR_GOOD)], asset.octets).into_response()
        }
        None => Problem::NotFound.into_response(),
    }
}
