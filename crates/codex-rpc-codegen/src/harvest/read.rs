//! One TypeScript file after the other, through a real parser, into plain data.
//!
//! References leave this module as ids, `folder/Name`; [`super::link`] turns
//! ids into keys.

use std::collections::{BTreeMap, HashMap};

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Declaration, Expression, ImportDeclarationSpecifier, Statement, TSLiteral, TSMappedTypeModifierOperator,
    TSSignature, TSType, TSTypeName, TSTypeReference, UnaryOperator,
};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};
use serde_json::Value;

use super::{HarvestError, SourceFile, TsField, TsType};

/// An alias as one file declares it.
pub(super) struct Alias {
    pub(super) file: String,
    pub(super) ty: TsType,
    pub(super) doc: Option<String>,
}

/// A use of a name, to be checked once all files are read.
pub(super) struct Use {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) id: String,
}

/// All declarations by id, and all uses.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) aliases: BTreeMap<String, Alias>,
    pub(super) uses: Vec<Use>,
}

/// `folder/Name`; the root's folder is empty.
pub(super) fn id(folder: &str, name: &str) -> String {
    format!("{folder}/{name}")
}

/// Reads every file, in the order of the paths.
pub(super) fn read(files: &[SourceFile]) -> Result<Sources, HarvestError> {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut sources = Sources::default();
    for file in sorted {
        read_file(file, &mut sources)?;
    }
    Ok(sources)
}

fn read_file(file: &SourceFile, sources: &mut Sources) -> Result<(), HarvestError> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &file.text, SourceType::ts()).parse();
    let mut reader = Reader {
        file,
        folder: file.path.rsplit_once('/').map_or("", |(folder, _)| folder),
        scope: HashMap::new(),
        docs: HashMap::new(),
        uses: Vec::new(),
    };
    if let Some(error) = parsed.diagnostics.errors().next() {
        let at = error.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(reader.syntax(at, error.message.to_string()));
    }
    for comment in &parsed.program.comments {
        if comment.is_jsdoc() {
            let text = &file.text[comment.content_span().start as usize..][..comment.content_span().size() as usize];
            reader.docs.insert(comment.attached_to, clean(text));
        }
    }

    let mut declared = Vec::new();
    let mut reexports = false;
    for statement in &parsed.program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                let module = import.source.value.as_str();
                for specifier in import.specifiers.iter().flatten() {
                    let ImportDeclarationSpecifier::ImportSpecifier(named) = specifier else {
                        return Err(reader.unsupported(specifier.span(), "this kind of import"));
                    };
                    let folder = reader.folder_of(module, import.span)?;
                    let target = id(&folder, named.imported.name().as_str());
                    reader.scope.insert(named.local.name.as_str().to_owned(), target);
                }
            }
            Statement::ExportDeclaration(export) => {
                let Declaration::TSTypeAliasDeclaration(alias) = &export.declaration else {
                    return Err(reader.unsupported(export.span, "a declaration but a type alias"));
                };
                if let Some(parameters) = &alias.type_parameters {
                    return Err(reader.unsupported(parameters.span, "a generic type alias"));
                }
                // What ts-rs writes ends with `;`. Without it a file cut
                // between two arms of a union would pass for a whole one.
                if !file.text[..export.span.end as usize].ends_with(';') {
                    let at = export.span.end as usize;
                    return Err(reader.syntax(at, "the type alias does not end with `;`".into()));
                }
                let name = alias.id.name.as_str().to_owned();
                reader.scope.insert(name.clone(), id(reader.folder, &name));
                declared.push((name, export.span, &alias.type_annotation));
            }
            Statement::ExportAllDeclaration(_) | Statement::ExportFromDeclaration(_) | Statement::EmptyStatement(_) => {
                reexports = true;
            }
            other => {
                let end = other.span().end as usize;
                return Err(if file.text[..end].ends_with([';', '}']) {
                    reader.unsupported(other.span(), "this statement")
                } else {
                    reader.syntax(end, "a statement without an end".into())
                });
            }
        }
    }
    if declared.is_empty() && !reexports {
        let end = file.text.len();
        return Err(reader.syntax(end, "the file declares nothing".into()));
    }

    for (name, span, annotation) in declared {
        let ty = reader.ty(annotation)?;
        let alias = Alias { file: file.path.clone(), ty, doc: reader.docs.get(&span.start).cloned() };
        let id = id(reader.folder, &name);
        if let Some(first) = sources.aliases.insert(id, alias) {
            return Err(HarvestError::Clash { name, first: first.file, second: file.path.clone() });
        }
    }
    sources.uses.append(&mut reader.uses);
    Ok(())
}

/// What is known while one file is read.
struct Reader<'s> {
    file: &'s SourceFile,
    folder: &'s str,
    /// Name in this file -> id.
    scope: HashMap<String, String>,
    /// Offset of the token a doc comment stands before -> cleaned text.
    docs: HashMap<u32, String>,
    uses: Vec<Use>,
}

impl Reader<'_> {
    fn ty(&mut self, ty: &TSType<'_>) -> Result<TsType, HarvestError> {
        Ok(match ty {
            TSType::TSStringKeyword(_) => keyword("string"),
            TSType::TSNumberKeyword(_) => keyword("number"),
            TSType::TSBooleanKeyword(_) => keyword("boolean"),
            TSType::TSNullKeyword(_) => keyword("null"),
            TSType::TSUndefinedKeyword(_) => keyword("undefined"),
            TSType::TSUnknownKeyword(_) => keyword("unknown"),
            TSType::TSAnyKeyword(_) => keyword("any"),
            TSType::TSNeverKeyword(_) => keyword("never"),
            TSType::TSBigIntKeyword(_) => keyword("bigint"),
            TSType::TSObjectKeyword(_) => keyword("object"),
            TSType::TSParenthesizedType(inner) => self.ty(&inner.type_annotation)?,
            TSType::TSLiteralType(literal) => TsType::Literal { value: self.literal(&literal.literal)? },
            TSType::TSArrayType(array) => TsType::Array { items: Box::new(self.ty(&array.element_type)?) },
            TSType::TSUnionType(union) => TsType::Union { arms: self.all(&union.types)? },
            TSType::TSIntersectionType(parts) => TsType::Intersection { parts: self.all(&parts.types)? },
            TSType::TSTupleType(tuple) => {
                let mut items = Vec::new();
                for element in &tuple.element_types {
                    let Some(element) = element.as_ts_type() else {
                        return Err(self.unsupported(element.span(), "this tuple element"));
                    };
                    items.push(self.ty(element)?);
                }
                TsType::Tuple { items }
            }
            TSType::TSTypeReference(reference) => self.reference(reference)?,
            TSType::TSTypeLiteral(literal) => match literal.members.as_slice() {
                [TSSignature::TSIndexSignature(index)] => TsType::Map {
                    keys: self.key_type(&index.parameter.type_annotation.type_annotation)?,
                    values: Box::new(self.ty(&index.type_annotation.type_annotation)?),
                    optional: false,
                },
                members => TsType::Object {
                    fields: members.iter().map(|member| self.field(member)).collect::<Result<_, _>>()?,
                },
            },
            TSType::TSMappedType(mapped) => {
                let optional = match mapped.optional {
                    None => false,
                    Some(TSMappedTypeModifierOperator::True) => true,
                    Some(_) => return Err(self.unsupported(mapped.span, "this mapped type")),
                };
                match (&mapped.type_annotation, &mapped.name_type) {
                    (Some(values), None) => TsType::Map {
                        keys: self.key_type(&mapped.constraint)?,
                        values: Box::new(self.ty(values)?),
                        optional,
                    },
                    _ => return Err(self.unsupported(mapped.span, "this mapped type")),
                }
            }
            other => return Err(self.unsupported(other.span(), "this type")),
        })
    }

    fn all(&mut self, types: &[TSType<'_>]) -> Result<Vec<TsType>, HarvestError> {
        types.iter().map(|ty| self.ty(ty)).collect()
    }

    fn field(&mut self, member: &TSSignature<'_>) -> Result<TsField, HarvestError> {
        let TSSignature::TSPropertySignature(property) = member else {
            return Err(self.unsupported(member.span(), "this member of an object type"));
        };
        let name = property.key.static_name().filter(|_| !property.computed);
        let (Some(name), Some(annotation)) = (name, &property.type_annotation) else {
            return Err(self.unsupported(property.span, "a field without a plain name and a type"));
        };
        Ok(TsField {
            name: name.into_owned(),
            optional: property.optional,
            ty: self.ty(&annotation.type_annotation)?,
            doc: self.docs.get(&property.span.start).cloned(),
        })
    }

    fn reference(&mut self, reference: &TSTypeReference<'_>) -> Result<TsType, HarvestError> {
        let TSTypeName::IdentifierReference(identifier) = &reference.type_name else {
            return Err(self.unsupported(reference.span, "a qualified name"));
        };
        let name = identifier.name.as_str();
        let Some(arguments) = &reference.type_arguments else {
            return Ok(TsType::Reference { name: self.resolve(name, reference.span)? });
        };
        match (name, arguments.params.as_slice()) {
            ("Array", [items]) => Ok(TsType::Array { items: Box::new(self.ty(items)?) }),
            ("Record", [keys, values]) => {
                Ok(TsType::Map { keys: self.key_type(keys)?, values: Box::new(self.ty(values)?), optional: false })
            }
            _ => Err(self.unsupported(reference.span, "this generic type")),
        }
    }

    /// The keys of a map: nothing for `string`, else the alias that types them.
    fn key_type(&mut self, keys: &TSType<'_>) -> Result<Option<String>, HarvestError> {
        match self.ty(keys)? {
            TsType::Keyword { name } if name == "string" => Ok(None),
            TsType::Reference { name } => Ok(Some(name)),
            _ => Err(self.unsupported(keys.span(), "keys of this type")),
        }
    }

    fn resolve(&mut self, name: &str, span: Span) -> Result<String, HarvestError> {
        let line = self.line(span.start as usize);
        let Some(id) = self.scope.get(name).cloned() else {
            return Err(HarvestError::Dangling {
                file: self.file.path.clone(),
                line,
                name: name.to_owned(),
                target: "no import and no alias of this file".into(),
            });
        };
        self.uses.push(Use { file: self.file.path.clone(), line, name: name.to_owned(), id: id.clone() });
        Ok(id)
    }

    fn literal(&self, literal: &TSLiteral<'_>) -> Result<Value, HarvestError> {
        let number = |value: f64, negative: bool| whole(if negative { -value } else { value });
        let value = match literal {
            TSLiteral::BooleanLiteral(literal) => Some(Value::Bool(literal.value)),
            TSLiteral::StringLiteral(literal) => Some(literal.value.as_str().into()),
            TSLiteral::NumericLiteral(literal) => number(literal.value, false),
            TSLiteral::UnaryExpression(unary) => match &unary.argument {
                Expression::NumericLiteral(literal) if unary.operator == UnaryOperator::UnaryNegation => {
                    number(literal.value, true)
                }
                _ => None,
            },
            _ => None,
        };
        value.ok_or_else(|| self.unsupported(literal.span(), "this literal"))
    }

    /// The folder that an import such as `../Thread` leads to.
    fn folder_of(&self, module: &str, span: Span) -> Result<String, HarvestError> {
        let mut parts: Vec<&str> = self.folder.split('/').filter(|p| !p.is_empty()).collect();
        if !module.starts_with('.') {
            return Err(self.unsupported(span, "an import from outside the export"));
        }
        for part in module.split('/') {
            match part {
                "." => {}
                ".." if parts.pop().is_some() => {}
                ".." => {
                    return Err(self.unsupported(span, "an import from outside the export"));
                }
                part => parts.push(part),
            }
        }
        parts.pop();
        Ok(parts.join("/"))
    }

    fn line(&self, offset: usize) -> usize {
        let end = offset.min(self.file.text.len());
        let before = &self.file.text.as_bytes()[..end];
        before.split(|byte| *byte == b'\n').count()
    }

    fn syntax(&self, offset: usize, message: String) -> HarvestError {
        HarvestError::Syntax { file: self.file.path.clone(), line: self.line(offset), message }
    }

    fn unsupported(&self, span: Span, syntax: &str) -> HarvestError {
        let text = &self.file.text[span.start as usize..span.end as usize];
        HarvestError::Unsupported {
            file: self.file.path.clone(),
            line: self.line(span.start as usize),
            syntax: syntax.to_owned(),
            snippet: text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect(),
        }
    }
}

fn keyword(name: &str) -> TsType {
    TsType::Keyword { name: name.into() }
}

/// A number as JSON writes it: whole numbers without a fraction.
fn whole(value: f64) -> Option<Value> {
    // Within this bound every whole f64 is an i64, exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation)]
        let whole = value as i64;
        return Some(whole.into());
    }
    serde_json::Number::from_f64(value).map(Value::Number)
}

/// The text between `/**` and `*/`, without the column of asterisks.
fn clean(comment: &str) -> String {
    let lines: Vec<&str> = comment
        .trim_start_matches('*')
        .lines()
        .map(|line| {
            let line = line.trim();
            let line = line.strip_prefix('*').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line)
        })
        .collect();
    lines.join("\n").trim().to_owned()
}
