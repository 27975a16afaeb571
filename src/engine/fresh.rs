//! Answers of the engine that are good for a moment: however many ask, it is asked once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Error;

/// An answer and when it came. Whoever asks while it is on its way waits here for it.
type Slot<V> = Arc<tokio::sync::Mutex<Option<(Instant, Arc<V>)>>>;

/// Answers by what was asked.
#[derive(Debug)]
pub(super) struct Fresh<K, V> {
    slots: Mutex<HashMap<K, Slot<V>>>,
    life: Duration,
}

impl<K, V> Fresh<K, V>
where
    K: Eq + Hash,
    V: Send + Sync + 'static,
{
    /// With answers that are good for so long. They are forgotten after that.
    pub(super) fn new(life: Duration) -> Self {
        Self { slots: Mutex::default(), life }
    }

    /// The answer that is there, or the one that `ask` brings.
    pub(super) async fn get(&self, key: K, ask: impl Future<Output = Result<V, Error>>) -> Result<Arc<V>, Error> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            // What nobody waits for and has no answer any more goes.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
            slots.entry(key).or_default().clone()
        };
        let mut kept = slot.lock().await;
        if let Some((at, answer)) = &*kept
            && at.elapsed() < self.life
        {
            return Ok(answer.clone());
        }
        let answer = Arc::new(ask.await?);
        *kept = Some((Instant::now(), answer.clone()));
        let (slot, life) = (slot.clone(), self.life);
        // Holds the slot for as long as the answer is good; a large one must not lie about for longer.
        tokio::spawn(async move {
            tokio::time::sleep(life).await;
            let mut kept = slot.lock().await;
            if kept.as_ref().is_some_and(|(at, _)| at.elapsed() >= life) {
                *kept = None;
            }
        });
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_who_ask_ask_once() {
        let (fresh, asked) = (Fresh::new(Duration::from_millis(200)), AtomicUsize::new(0));
        let ask = async || {
            let ask = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(asked.fetch_add(1, Ordering::Relaxed))
            };
            fresh.get("web", ask).await.ok().map(|answer| *answer)
        };
        let both = tokio::join!(ask(), ask(), ask());
        assert_eq!(both, (Some(0), Some(0), Some(0)));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(ask().await, Some(1));
        let failed = fresh.get("web2", async { Err::<usize, _>(Error::NotFound(String::new())) }).await;
        assert!(failed.is_err());
    }
}
