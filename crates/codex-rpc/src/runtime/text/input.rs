//! What the types ask of a text.

use std::fmt;

use serde::de::Deserializer;
use serde_json::de::StrRead;
use serde_json::{Map, Value};

use super::{Tag, Text};
use crate::runtime::external::ExternalFields;
use crate::runtime::input::{Choice, Done, Entries, Envelope, Failed, Input, Look, Slot};
use crate::runtime::note::{self, Segment};
use crate::runtime::record::{Fields, Shape};
use crate::runtime::tagged::{ReadArm, TaggedFields};
use crate::runtime::visit::{FloatVisitor, IntegerVisitor};
use crate::{RawJson, UnrecognizedVariant};

/// How many levels of brackets a value has.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn visit(text: &str, visit: impl FnOnce(&mut serde_json::Deserializer<StrRead<'_>>) -> serde_json::Result<()>) -> Done {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    visit(&mut deserializer).and_then(|()| deserializer.end()).map_err(|_| Failed)
}

/// An arm whose tag was found.
struct Arm<'a, 'b> {
    text: &'a mut Text<'b>,
    tag: Option<Tag>,
}

impl ReadArm for Arm<'_, '_> {
    fn read(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done {
        let seen = self.text.members(shape.keys, self.tag.take(), fields)?;
        shape.is_complete(seen).then_some(()).ok_or(Failed)
    }
}

impl Input for Text<'_> {
    fn string(&mut self, slot: &mut String) -> Done {
        *slot = self.chars()?.into_string();
        Ok(())
    }

    fn text(&mut self, look: &mut dyn Look) -> Done {
        look.look(self.chars()?.as_str());
        Ok(())
    }

    fn choice(&mut self, known: &'static [&'static str]) -> Result<Choice, Failed> {
        let name = self.chars()?;
        Ok(Choice::of(known, name.as_str()).noted())
    }

    fn boolean(&mut self, slot: &mut bool) -> Done {
        *slot = self.peek() == Some(b't');
        self.word(if *slot { "true" } else { "false" })
    }

    fn integer(&mut self, slot: &mut i128) -> Done {
        self.peek();
        if let Some(number) = self.natural() {
            *slot = number.into();
            return Ok(());
        }
        let text = self.number()?;
        visit(text, |deserializer| deserializer.deserialize_i64(IntegerVisitor(slot)))
    }

    fn float(&mut self, slot: &mut f64) -> Done {
        self.peek();
        let text = self.number()?;
        visit(text, |deserializer| deserializer.deserialize_f64(FloatVisitor(slot)))
    }

    fn raw(&mut self, slot: &mut Option<RawJson>) -> Done {
        self.peek();
        *slot = Some(self.value()?.0);
        Ok(())
    }

    fn any(&mut self, slot: &mut Value) -> Done {
        if self.peek() == Some(b'"') {
            *slot = Value::String(self.chars()?.into_string());
            return Ok(());
        }
        if let Some(number) = self.natural() {
            *slot = number.into();
            return Ok(());
        }
        let (value, text) = self.value()?;
        *slot = value;
        // serde_json counted from here and not from the start of the text.
        let brackets = text.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
        if brackets > self.levels && levels(slot) > self.levels { Err(self.give_up()) } else { Ok(()) }
    }

    fn option(&mut self, some: &mut dyn Slot) -> Done {
        if self.peek() == Some(b'n') { self.word("null") } else { some.fill(self) }
    }

    fn list(&mut self, items: &mut dyn Slot) -> Done {
        self.open(b'[')?;
        let mut first = true;
        while self.next(first, b']')? {
            first = false;
            items.fill(self)?;
        }
        Ok(())
    }

    fn map(&mut self, entries: &mut dyn Entries) -> Done {
        self.open(b'{')?;
        let mut first = true;
        while self.next(first, b'}')? {
            first = false;
            let key = self.key()?;
            entries.entry(key.as_str(), self)?;
        }
        Ok(())
    }

    fn object(&mut self, shape: &'static Shape, fields: &mut dyn Fields) -> Done {
        self.open(b'{')?;
        let seen = self.members(shape.keys, None, fields)?;
        shape.is_complete(seen).then_some(()).ok_or(Failed)
    }

    fn message(&mut self, message: &mut dyn Envelope) -> Done {
        self.open(b'{')?;
        let seen = self.members(crate::envelope::KEYS, None, message.fields())?;
        message.end(seen).map_err(|_| Failed)
    }

    fn tagged(&mut self, union: &mut dyn TaggedFields) -> Done {
        let info = union.info();
        self.open(b'{')?;
        let ahead = !self.eat_key(info.tag);
        let value = if ahead { self.find_tag(info.tag)? } else { self.chars()? };
        let mut tag = Tag { name: info.tag, ahead };
        if let Some(index) = info.tags.iter().position(|known| *known == value.as_str()) {
            return union.read_arm(index, &mut Arm { text: self, tag: Some(tag) });
        }
        let mut fields = Map::new();
        let mut first = ahead;
        while self.next(first, b'}')? {
            first = false;
            let name = self.key()?.into_string();
            if name == info.tag {
                self.skip_tag(&mut tag)?;
                continue;
            }
            let mut member = Value::Null;
            self.any(&mut member)?;
            if fields.insert(name, member).is_some() {
                return Err(self.give_up());
            }
        }
        note::unknown();
        union.set_unrecognized(UnrecognizedVariant { tag: value.into_string(), fields: fields.into() });
        Ok(())
    }

    fn external(&mut self, union: &mut dyn ExternalFields) -> Done {
        let info = union.info();
        if self.peek() == Some(b'"') {
            let name = self.chars()?;
            match info.units.iter().position(|unit| *unit == name.as_str()) {
                Some(index) => union.set_unit(index),
                None => union.set_unknown(name.into_string().into()),
            }
            return Ok(());
        }
        let start = self.at;
        self.open(b'{')?;
        let name = self.key()?;
        if let Some(index) = info.keys.iter().position(|key| *key == name.as_str()) {
            union.select(index);
            union.read(self)?;
            return if self.next(false, b'}')? { Err(self.give_up()) } else { Ok(()) };
        }
        self.at = start;
        self.levels += 1;
        let mut value = Value::Null;
        self.any(&mut value)?;
        union.set_unknown(value);
        Ok(())
    }

    fn fail(&mut self, _: fmt::Arguments<'_>) -> Failed {
        Failed
    }

    fn failed_below(&mut self, _: Segment) {}
}
