//! Rule: heavy or far-reaching libraries live in one room. Only `engine` names DataFusion and object stores, only
//! `store` names SQL databases, only `serving` names ONNX Runtime; in tests too. HTTP is served in two rooms: `server`
//! has the pages and the API, `serving` the guard (docs/decisions/0015).

use super::Violation;
use super::packages::Member;

/// Crates, and the families of packages that only they name: `arrow` and everything `arrow-…`.
const ROOMS: &[(&[&str], &[&str])] = &[
    (&["engine"], &["datafusion", "arrow", "parquet", "ballista", "object_store"]),
    (&["store"], &["sqlx", "rusqlite", "libsqlite3-sys", "postgres", "tokio-postgres", "diesel"]),
    (&["serving"], &["ort", "tract"]),
    (&["server", "serving"], &["axum", "hyper", "actix", "rocket", "poem", "tiny_http", "warp"]),
];

pub(super) fn violations(members: &[Member]) -> Vec<Violation> {
    members.iter().flat_map(of_member).collect()
}

fn of_member(member: &Member) -> impl Iterator<Item = Violation> {
    member.dependencies.iter().filter_map(|name| {
        let (rooms, _) =
            ROOMS.iter().find(|(_, families)| families.iter().any(|family| is_of(name, family)))?;
        let what = format!("names `{name}`, which only `{}` may name", rooms.join("` and `"));
        (!rooms.contains(&member.folder())).then(|| Violation::new(&member.path, what))
    })
}

fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_engine_names_arrow() {
        let names = ["arrow-array", "arrowhead", "serde"].map(String::from).to_vec();
        let member =
            |path: &str| Member { path: path.into(), dependencies: names.clone(), ..Member::default() };
        let expected = "names `arrow-array`, which only `engine` may name";
        assert_eq!(violations(&[member("crates/app")]), [Violation::new("crates/app", expected)]);
        assert_eq!(violations(&[member("crates/engine")]), []);
    }

    #[test]
    fn http_is_served_by_the_server_and_by_the_guard() {
        let of = |path: &str| Member {
            path: path.into(),
            dependencies: vec!["axum-server".into()],
            ..Member::default()
        };
        assert_eq!(violations(&[of("crates/server"), of("crates/serving")]), []);
        let expected = "names `axum-server`, which only `server` and `serving` may name";
        assert_eq!(violations(&[of("crates/app")]), [Violation::new("crates/app", expected)]);
    }
}
