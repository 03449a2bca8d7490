//! How each list of statements becomes constants. Paths are from the file that has the list.

/// Statements that every database has to know.
macro_rules! statements {
    (everywhere { $($name:ident = $file:literal;)* } by_dialect { $($own:ident = $own_file:literal;)* }) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/", $file, ".sql")));)*
        $(#[doc = concat!("`", $own_file, ".sql`.")]
        pub const $own: Statement = Statement::by_dialect($own_file);)*

        /// All of them.
        pub const STATEMENTS: &[Statement] = &[$($name,)* $($own,)*];
    };
}

/// Texts that become statements once they are told of which table.
macro_rules! templates {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../sql/", $file, ".sql"));)*
    };
}

/// Statements that only a process needs that has a database to itself; see [`Session::is_shared`](crate::Session).
macro_rules! alone {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/", $file, ".sql")));)*

        /// All of them.
        pub const STATEMENTS_ALONE: &[Statement] = &[$($name),*];
    };
}

/// Statements that only a database with several processes has to know.
macro_rules! shared {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = concat!("`", $file, ".sql`.")]
        pub const $name: Statement = Statement::by_dialect($file);)*

        /// All of them.
        pub const SHARED_STATEMENTS: &[Statement] = &[$($name),*];
    };
}

/// What processes that share a database say to each other.
macro_rules! of_nodes {
    (everywhere { $($name:ident = $file:literal;)* } by_dialect { $($own:ident = $own_file:literal;)* }) => {
        $(#[doc = concat!("`nodes/", $file, ".sql`.")]
        pub const $name: Statement =
            Statement::everywhere($file, include_str!(concat!("../sql/nodes/", $file, ".sql")));)*
        $(#[doc = concat!("`nodes/", $own_file, ".sql`.")]
        pub const $own: Statement = Statement::by_dialect($own_file);)*

        /// All of them.
        pub const NODE_STATEMENTS: &[Statement] = &[$($name,)* $($own,)*];
    };
}

pub(super) use {alone, of_nodes, shared, statements, templates};
