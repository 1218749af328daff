//! The text of a message as it leaves: as it is stored, unless the next host cannot take that, and signed, if its author's domain has keys.
//!
//! What the next host cannot take is re-encoded on its way, as RFC 6152 section 3 asks for where that takes no 8-bit text: read once to find
//! out what has to be changed, and again to change it. What is signed is read once more before, as it will leave (RFC 6376 section 5.3). No
//! more of it is in memory than a piece. Most mail needs neither, and is read once.

use bytes::Bytes;
use esmtp::dialogue::{Enhanced, Reply};
use message::dkim::Signers;
use message::{Plan, Rewriter, Survey, Surveyed, Target, Untouchable};
use store::{Body, Leased, Spool, SpoolError, Submission};
use types::BodyType;

use super::beginning::{Beginning, WithHead};
use super::texts::Texts;
use crate::signing::{Keys, Unsigned};

/// A text on its way out, and what MAIL says of it.
#[derive(Debug)]
pub(crate) struct Outgoing<B> {
    pub(crate) text: WithHead<Text<B>>,
    /// Whether it has octets above 127 (RFC 6152).
    pub(crate) body: BodyType,
    /// Its octets, if they are known before it is read: an estimate would do for SIZE (RFC 1870 section 6), but none is better.
    pub(crate) size: Option<u64>,
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

/// Opens a message in a form that a host of this kind can take, signed if there are keys for it. If it cannot leave, a reply says why: for
/// good, if what stands in the way is in the message, and will be there at the next attempt too.
pub(crate) async fn open<S: Spool>(
    texts: &Texts<S>,
    leased: &Leased,
    target: Target,
) -> Result<Result<Outgoing<S::Body>, Reply>, SpoolError> {
    let plan = match plan(texts, leased, target).await? {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let body = match (&plan, target) {
        (Some(_), Target::SevenBit) => BodyType::SevenBit,
        (Some(_), Target::EightBit) | (None, _) => leased.submission.body,
    };
    let form = Form { texts, leased, plan };
    let text = match form.signed().await? {
        Ok(text) => text,
        Err(unsigned) => {
            texts.signing.tell(&unsigned, leased.submission.id);
            return Ok(Err(unsigned.to_reply()));
        }
    };
    let size = form.plan.is_none().then(|| leased.size.saturating_add(text.added()));
    Ok(Ok(Outgoing { text, body, size }))
}

/// What is to be re-encoded, if anything may have to be.
async fn plan<S: Spool>(
    texts: &Texts<S>,
    leased: &Leased,
    target: Target,
) -> Result<Result<Option<Plan>, Reply>, SpoolError> {
    if !may_need_rewriting(&leased.submission, target) {
        return Ok(Ok(None));
    }
    let surveyed = survey(texts.spool.body(leased).await?).await?;
    Ok(surveyed.plan(target).map(Some).map_err(|why| cannot_be_rewritten(&surveyed, why)))
}

fn may_need_rewriting(submission: &Submission, target: Target) -> bool {
    submission.must_be_rewritten || (submission.body == BodyType::EightBit && target == Target::SevenBit)
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

async fn survey<B: Body>(mut stored: B) -> Result<Surveyed, SpoolError> {
    let mut survey = Survey::of_message();
    while let Some(chunk) = stored.next_chunk().await? {
        survey.feed(&chunk);
    }
    Ok(survey.finish())
}

/// RFC 3463 section 3.7, X.6.3: conversion required but not supported.
fn cannot_be_rewritten(surveyed: &Surveyed, why: Untouchable) -> Reply {
    let need = match surveyed.plan(Target::EightBit) {
        Ok(_) => "the next host takes no 8-bit text (8BITMIME)",
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
