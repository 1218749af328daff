//! The text of a message as it leaves: as it is stored, unless the next host cannot take that.
//!
//! Then it is re-encoded on its way, as RFC 6152 section 3 asks for where the next host takes no 8-bit text: read once to find out what has to be changed, and again to change it, so that no more
//! of it is in memory than a piece. Most mail needs none of this, and is read once.

use bytes::Bytes;
use esmtp::dialogue::{Enhanced, Reply};
use message::{Plan, Rewriter, Survey, Surveyed, Target, Untouchable};
use store::{Body, Leased, Spool, SpoolError, Submission};
use types::BodyType;

/// A text on its way out, and what MAIL says of it.
#[derive(Debug)]
pub(crate) struct Outgoing<B> {
    pub(crate) text: Text<B>,
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

/// Opens a message in a form that a host of this kind can take. If there is none, a reply says why; what stands in the way
/// is in the message, and will be there at the next attempt too.
pub(crate) async fn open<S: Spool>(
    spool: &S,
    leased: &Leased,
    target: Target,
) -> Result<Result<Outgoing<S::Body>, Reply>, SpoolError> {
    if !may_need_rewriting(&leased.submission, target) {
        return Ok(Ok(as_stored(leased, spool.body(leased).await?)));
    }
    let surveyed = survey(spool.body(leased).await?).await?;
    let plan = match surveyed.plan(target) {
        Ok(plan) => plan,
        Err(why) => return Ok(Err(cannot_be_rewritten(&surveyed, why))),
    };
    let stored = spool.body(leased).await?;
    Ok(Ok(rewritten(leased, stored, plan, target)))
}

fn may_need_rewriting(submission: &Submission, target: Target) -> bool {
    submission.must_be_rewritten || (submission.body == BodyType::EightBit && target == Target::SevenBit)
}

fn as_stored<B>(leased: &Leased, stored: B) -> Outgoing<B> {
    Outgoing { text: Text::AsStored(stored), body: leased.submission.body, size: Some(leased.size) }
}

fn rewritten<B>(leased: &Leased, stored: B, plan: Plan, target: Target) -> Outgoing<B> {
    let body = match target {
        Target::EightBit => leased.submission.body,
        Target::SevenBit => BodyType::SevenBit,
    };
    let rewriting = Rewriting { stored, rewriter: Some(Rewriter::new(plan)) };
    Outgoing { text: Text::Rewritten(Box::new(rewriting)), body, size: None }
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
