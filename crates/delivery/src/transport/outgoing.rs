//! The text of a message as it leaves: as it is stored, unless the next host cannot take that, and signed, if its author's domain has keys.
//!
//! What the next host cannot take is re-encoded on its way, as RFC 6152 section 3 asks for where that takes no 8-bit text, and RFC 3030 section 3
//! where it takes no binary: read once to find out what has to be changed, and again to change it. What is signed is read once more before, as it will leave (RFC 6376 section 5.3). No
//! more of it is in memory than a piece. Most mail needs neither, and is read once.

use bytes::Bytes;
use esmtp::dialogue::{Enhanced, Reply};
use message::dkim::Signers;
use message::{Plan, Rewriter, Survey, Surveyed, Target, Untouchable};
use store::{Body, Leased, Spool, SpoolError};
use types::BodyType;

use super::beginning::{Beginning, WithHead};
use super::texts::Texts;
use crate::signing::{Keys, Unsigned};

/// A text on its way out, and what MAIL says of it.
#[derive(Debug)]
pub(crate) struct Outgoing<B> {
    pub(crate) text: WithHead<Text<B>>,
    /// Whether it has octets above 127 (RFC 6152), or is not made of lines (RFC 3030).
    pub(crate) body: BodyType,
    /// Whether its header section has octets above 127 (RFC 6531).
    pub(crate) smtputf8: bool,
    /// Its octets, if they are known before it is read: an estimate would do for SIZE (RFC 1870 section 6), but none is better.
    pub(crate) size: Option<u64>,
}

/// What the next host can take as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Takes {
    /// Octets above 127 in the body (8BITMIME).
    pub(crate) eight_bit: bool,
    /// A text that is not made of lines (BINARYMIME).
    pub(crate) binary: bool,
    /// Octets above 127 in the header section (SMTPUTF8).
    pub(crate) utf8_header: bool,
}

/// Reads a text on its way out.
#[derive(Debug)]
pub(crate) enum Text<B> {
    AsStored(B),
    Rewritten(Box<Rewriting<B>>),
}

/// A text being re-encoded.
#[derive(Debug)]
pub(crate) struct Rewriting<B> {
    stored: B,
    /// `None` once the text has ended.
    rewriter: Option<Rewriter>,
}

/// A message in the form in which it leaves, to be read as often as it takes.
struct Form<'a, S> {
    texts: &'a Texts<S>,
    leased: &'a Leased,
    /// What is to be re-encoded.
    plan: Option<Plan>,
}

/// Opens a message in a form that the next host can take, signed if there are keys for it. If it cannot leave, a reply says why: for
/// good, if what stands in the way is in the message, and will be there at the next attempt too.
pub(crate) async fn open<S: Spool>(
    texts: &Texts<S>,
    leased: &Leased,
    takes: Takes,
) -> Result<Result<Outgoing<S::Body>, Reply>, SpoolError> {
    let takes = match takes.signed(texts, leased).await? {
        Ok(takes) => takes,
        Err(unsigned) => return Ok(Err(told(&unsigned, texts, leased))),
    };
    let plan = match plan(texts, leased, takes).await? {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let stored = &leased.submission;
    let body = plan.as_ref().map_or(stored.body, |_| takes.without_binary().instead_of(stored.body));
    let smtputf8 = stored.smtputf8 && !plan.as_ref().is_some_and(Plan::makes_header_ascii);
    let form = Form { texts, leased, plan };
    let text = match form.signed().await? {
        Ok(text) => text,
        Err(unsigned) => return Ok(Err(told(&unsigned, texts, leased))),
    };
    let size = form.plan.is_none().then(|| leased.size.saturating_add(text.added()));
    Ok(Ok(Outgoing { text, body, smtputf8, size }))
}

/// Tells the operator why a message is not signed, and gives the reply that says so of it.
fn told<S>(unsigned: &Unsigned, texts: &Texts<S>, leased: &Leased) -> Reply {
    texts.signing.tell(unsigned, leased.submission.id);
    unsigned.to_reply()
}

/// What is to be re-encoded, if anything may have to be.
async fn plan<S: Spool>(
    texts: &Texts<S>,
    leased: &Leased,
    takes: Takes,
) -> Result<Result<Option<Plan>, Reply>, SpoolError> {
    let submission = &leased.submission;
    let encodes_header = submission.smtputf8 && !takes.utf8_header;
    let reads = submission.must_be_rewritten || takes.instead_of(submission.body) != submission.body;
    if !reads && !encodes_header {
        return Ok(Ok(None));
    }
    let surveyed = survey(texts.spool.body(leased).await?, submission.body).await?;
    if !reads && !surveyed.header_can_be_ascii() {
        return Ok(Ok(None));
    }
    // What is changed at all is made lines of: how many octets it would have is known when they are written, and BDAT says so before.
    let plan = surveyed.plan(takes.target()).map_err(|why| cannot_be_rewritten(&surveyed, why));
    let whole = |plan: Plan| {
        let encodes_header = encodes_header && surveyed.header_can_be_ascii();
        Some(if encodes_header { plan.with_ascii_header() } else { plan })
    };
    Ok(plan.map(whole))
}

impl Takes {
    fn target(self) -> Target {
        if self.eight_bit { Target::EightBit } else { Target::SevenBit }
    }

    fn without_binary(self) -> Self {
        Self { binary: false, ..self }
    }

    /// What becomes of such a body, if it is re-encoded where it can't be taken as it is.
    fn instead_of(self, body: BodyType) -> BodyType {
        match body {
            BodyType::Binary if self.binary => BodyType::Binary,
            BodyType::Binary | BodyType::EightBit if self.eight_bit => BodyType::EightBit,
            BodyType::Binary | BodyType::EightBit | BodyType::SevenBit => BodyType::SevenBit,
        }
    }

    /// What it takes of a message that is signed, if this is one: RFC 6376 section 5.3 has what may be re-encoded on its way re-encoded before.
    async fn signed<S: Spool>(
        self,
        texts: &Texts<S>,
        leased: &Leased,
    ) -> Result<Result<Self, Unsigned>, SpoolError> {
        if !self.binary || leased.submission.body != BodyType::Binary {
            return Ok(Ok(self));
        }
        let form = Form { texts, leased, plan: None };
        Ok(form.is_signed().await?.map(|is_signed| if is_signed { self.without_binary() } else { self }))
    }
}

impl<S: Spool> Form<'_, S> {
    /// The text with its signatures, if there are keys for it.
    async fn signed(&self) -> Result<Result<WithHead<Text<S::Body>>, Unsigned>, SpoolError> {
        let text = self.text().await?;
        match self.texts.signing.has_keys().await {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(WithHead::none(text))),
            Err(unsigned) => return Ok(Err(unsigned)),
        }
        let beginning = Beginning::read(text).await?;
        match self.texts.signing.keys_for(beginning.section(), self.leased.submission.id).await {
            Ok(keys) if keys.is_empty() => Ok(Ok(beginning.into_text())),
            Ok(keys) => match signatures(&keys, beginning).await? {
                Ok(fields) => Ok(Ok(WithHead::signed(fields, self.text().await?))),
                Err(unsigned) => Ok(Err(unsigned)),
            },
            Err(unsigned) => Ok(Err(unsigned)),
        }
    }

    /// Whether there are keys for it.
    async fn is_signed(&self) -> Result<Result<bool, Unsigned>, SpoolError> {
        match self.texts.signing.has_keys().await {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(false)),
            Err(unsigned) => return Ok(Err(unsigned)),
        }
        let beginning = Beginning::read(self.text().await?).await?;
        let keys = self.texts.signing.keys_for(beginning.section(), self.leased.submission.id).await;
        Ok(keys.map(|keys| !keys.is_empty()))
    }

    async fn text(&self) -> Result<Text<S::Body>, SpoolError> {
        let stored = self.texts.spool.body(self.leased).await?;
        Ok(match &self.plan {
            None => Text::AsStored(stored),
            Some(plan) => {
                Text::Rewritten(Box::new(Rewriting { stored, rewriter: Some(Rewriter::new(plan.clone())) }))
            }
        })
    }
}

/// The signatures of these keys, of the text that begins so.
async fn signatures<B: Body>(
    keys: &Keys,
    mut beginning: Beginning<B>,
) -> Result<Result<String, Unsigned>, SpoolError> {
    let section = beginning.take_section();
    let signers = match Signers::new(keys, &section) {
        Ok(signers) => signers,
        Err(error) => return Ok(Err(error.into())),
    };
    let mut signing = signers.begin();
    while let Some(chunk) = beginning.next_of_body().await? {
        signing.body(&chunk);
    }
    Ok(signing.finish().map_err(Unsigned::from))
}

async fn survey<B: Body>(mut stored: B, body: BodyType) -> Result<Surveyed, SpoolError> {
    let survey = Survey::of_message();
    let mut survey = if body == BodyType::Binary { survey.of_octets() } else { survey };
    while let Some(chunk) = stored.next_chunk().await? {
        survey.feed(&chunk);
    }
    Ok(survey.finish())
}

/// RFC 3463 section 3.7, X.6.3: conversion required but not supported.
fn cannot_be_rewritten(surveyed: &Surveyed, why: Untouchable) -> Reply {
    let need = match surveyed.plan(Target::EightBit) {
        Ok(_) => "the next host takes no 8-bit text (8BITMIME)",
        Err(_) if surveyed.is_binary() => {
            "the message is binary, which the next host does not take (BINARYMIME)"
        }
        Err(_) => "a line of the message is too long",
    };
    Reply::ours(554, Enhanced(5, 6, 3), format!("{need}, and the message cannot be re-encoded: {why}"))
}

impl<B: Body> Body for Text<B> {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match self {
            Text::AsStored(stored) => stored.next_chunk().await,
            Text::Rewritten(rewriting) => rewriting.next_chunk().await,
        }
    }
}

impl<B: Body> Rewriting<B> {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        let mut out = Vec::new();
        while out.is_empty()
            && let Some(rewriter) = &mut self.rewriter
        {
            match self.stored.next_chunk().await? {
                Some(chunk) => rewriter.feed(&chunk, &mut out),
                None => {
                    if let Some(rewriter) = self.rewriter.take() {
                        rewriter.finish(&mut out);
                    }
                }
            }
        }
        Ok((!out.is_empty()).then(|| out.into()))
    }
}
