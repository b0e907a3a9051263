//! What a source file uses, read from its syntax: words alone miss nested imports and code after the tests.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Path, UseTree};

/// The names by which code reaches the library's own modules.
const ROOTS: [&str; 2] = ["crate", "asyncos_exporter"];

/// `text` without comments, and without the items that are compiled for tests only, wherever they stand.
pub(crate) fn code_of(text: &str) -> String {
    let text = without_tests(text);
    let mut tokens = Vec::new();
    leaves(text.parse().expect("Rust"), &text, &mut tokens);
    let (mut code, mut end) = (String::new(), 0);
    for Range { start, end: after } in tokens {
        match &text[end..start] {
            "" => {}
            gap if gap.contains('\n') => code.push('\n'),
            _ => code.push(' '),
        }
        code.push_str(&text[start..after]);
        end = after;
    }
    code
}

/// Collects where the tokens are that hold no others; a comment that documents something is none.
fn leaves(tokens: TokenStream, text: &str, found: &mut Vec<Range<usize>>) {
    let mut comment = 0..0;
    for token in tokens {
        let range = token.span().byte_range();
        if range == comment {
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                found.push(group.span_open().byte_range());
                leaves(group.stream(), text, found);
                found.push(group.span_close().byte_range());
            }
            // Several tokens stand for the comment, all in its place.
            TokenTree::Punct(_) if ["//", "/*"].iter().any(|begin| text[range.clone()].starts_with(begin)) => {
                comment = range;
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => found.push(range),
        }
    }
}

fn without_tests(text: &str) -> String {
    let mut tests = Tests::default();
    tests.visit_file(&syn::parse_file(text).expect("Rust"));
    let mut code = text.to_owned();
    tests.0.sort_by_key(|range| std::cmp::Reverse(range.start));
    tests.0.into_iter().for_each(|range| code.replace_range(range, ""));
    code
}

/// The modules of ours that `code` uses.
pub(crate) fn used(code: &str) -> BTreeSet<String> {
    let mut used = Used::default();
    used.visit_file(&syn::parse_file(code).expect("Rust"));
    used.0
}

/// The paths that a file names, each as its parts.
#[derive(Default)]
pub(crate) struct Paths {
    /// Of its own imports, as they would be without braces.
    pub(crate) imports: Vec<Vec<String>>,
    /// Of its code: those that begin with `crate`, `self` or `super`.
    pub(crate) named: Vec<Vec<String>>,
}

/// The paths of `code`.
pub(crate) fn paths(code: &str) -> Paths {
    let (mut paths, mut rest) = (Paths::default(), code.to_owned());
    for item in syn::parse_file(code).expect("Rust").items.iter().rev() {
        if let Item::Use(item) = item {
            paths.import(&item.tree, &[]);
            rest.replace_range(item.span().byte_range(), "");
        }
    }
    paths.tokens(rest.parse().expect("Rust"));
    paths
}

impl Paths {
    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(path.ident.to_string())),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, before)),
            UseTree::Name(name) if name.ident == "self" => self.imports.push(before.to_vec()),
            UseTree::Name(name) => self.imports.push(with(name.ident.to_string())),
            UseTree::Rename(name) => self.imports.push(with(name.ident.to_string())),
            UseTree::Glob(_) => self.imports.push(before.to_vec()),
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 && !path.is_empty() => path.push(name.to_string()),
                TokenTree::Ident(name) if ["crate", "self", "super"].iter().any(|root| name == root) => {
                    self.named.push(std::mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.named.push(std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.named.push(std::mem::take(&mut path));
                }
            }
            colons = 0;
        }
        self.named.push(path);
        self.named.retain(|path| path.len() > 1);
    }
}

/// Where the outermost items of tests are.
#[derive(Default)]
struct Tests(Vec<Range<usize>>);

impl Tests {
    fn takes(&mut self, attributes: &[Attribute], item: &impl Spanned) -> bool {
        let is_test = attributes.iter().any(|attribute| {
            let condition = attribute.path().is_ident("cfg").then(|| attribute.parse_args::<Path>());
            condition.is_some_and(|condition| condition.is_ok_and(|condition| condition.is_ident("test")))
        });
        if is_test {
            self.0.push(item.span().byte_range());
        }
        is_test
    }
}

impl<'a> Visit<'a> for Tests {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes: &[Attribute] = match item {
            Item::Const(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Static(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Trait(item) => &item.attrs,
            Item::Type(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !self.takes(attributes, item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Const(item) => &item.attrs,
            _ => &[],
        };
        if !self.takes(attributes, item) {
            visit::visit_impl_item(self, item);
        }
    }
}

#[derive(Default)]
struct Used(BTreeSet<String>);

impl Used {
    /// Takes the first names below a root in `tree`.
    fn tree(&mut self, tree: &UseTree, is_below_root: bool) {
        match tree {
            UseTree::Path(path) if is_below_root => drop(self.0.insert(path.ident.to_string())),
            UseTree::Path(path) => self.tree(&path.tree, ROOTS.iter().any(|root| path.ident == root)),
            UseTree::Name(name) if is_below_root => drop(self.0.insert(name.ident.to_string())),
            UseTree::Rename(name) if is_below_root => drop(self.0.insert(name.ident.to_string())),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, is_below_root)),
            _ => {}
        }
    }

    /// Takes the names that follow `crate::` among tokens that are no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(root) if ROOTS.iter().any(|known| root == known) => {
                    if let Some([TokenTree::Punct(one), TokenTree::Punct(other), TokenTree::Ident(name)]) =
                        tokens.get(place + 1..place + 4)
                        && (one.as_char(), other.as_char()) == (':', ':')
                    {
                        self.0.insert(name.to_string());
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Used {
    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.tree(&item.tree, false);
    }

    fn visit_path(&mut self, path: &'a Path) {
        let mut names = path.segments.iter().map(|segment| &segment.ident);
        if let (Some(root), Some(name)) = (names.next(), names.next())
            && ROOTS.iter().any(|known| root == known)
        {
            self.0.insert(name.to_string());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        self.tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}
