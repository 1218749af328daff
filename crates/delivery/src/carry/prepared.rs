//! A way that is ready to be taken.

use std::sync::Arc;

use crate::next_host::NextHostError;
use crate::transport::{Surroundings, Transport};
use crate::way::Way;

/// A way, and what carries mail on it. Every destination that it leads to shares the transport, and with it connections and what is known
/// of hosts.
#[derive(Debug)]
pub(crate) struct PreparedWay {
    pub(crate) way: Way,
    pub(crate) transport: Arc<Transport>,
}

impl PreparedWay {
    /// Takes over from the `old` ways what stays: all of the same way, or the transport of one that leads to the same place.
    pub(crate) fn new(
        way: &Way,
        surroundings: Surroundings<'_>,
        old: &[Arc<PreparedWay>],
    ) -> Result<Arc<PreparedWay>, NextHostError> {
        if let Some(same) = old.iter().find(|old| old.way == *way) {
            return Ok(same.clone());
        }
        let transport = match old.iter().find(|old| old.way.via == way.via) {
            Some(old) => old.transport.clone(),
            None => Arc::new(Transport::new(&way.via, surroundings)?),
        };
        Ok(Arc::new(PreparedWay { way: way.clone(), transport }))
    }
}
