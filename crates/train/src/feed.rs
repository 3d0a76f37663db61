//! Batches made ahead of the steps that need them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::TrainError;

/// Batches that lie ready while the next one is made.
const READY: usize = 2;

/// The batch of a step, which is a function of the step alone.
pub(crate) type Make<B> = dyn Fn(u64) -> Result<B, TrainError> + Send + Sync;

/// The batches of a training, made on a thread of their own, a few steps ahead.
pub(crate) struct Feed<B> {
    make: Arc<Make<B>>,
    /// The steps end here.
    end: u64,
    /// The step whose batch comes next, and where it comes from. Dropping it ends the thread.
    coming: Option<(u64, Receiver<Result<B, TrainError>>)>,
}

impl<B: Send + 'static> Feed<B> {
    /// The batches that `make` makes, of the steps before `end`.
    pub(crate) fn new(make: Arc<Make<B>>, end: u64) -> Self {
        Self {
            make,
            end,
            coming: None,
        }
    }

    /// The batch of `step`.
    pub(crate) fn take(&mut self, step: u64) -> Result<B, TrainError> {
        match &mut self.coming {
            Some((next, ready)) if *next == step => {
                *next += 1;
                if let Ok(made) = ready.recv() {
                    return made;
                }
            }
            // Another step than foreseen: after a resume.
            _ => {}
        }
        self.coming = self.ahead(step + 1);
        (self.make)(step)
    }

    /// A thread that makes the batches from `first` on; `None` where there is nothing to make, or no thread to be had.
    fn ahead(&self, first: u64) -> Option<(u64, Receiver<Result<B, TrainError>>)> {
        if first >= self.end || rayon::current_num_threads() == 1 {
            return None;
        }
        let (send, ready) = sync_channel(READY - 1);
        let (make, end) = (self.make.clone(), self.end);
        let work = move || {
            for step in first..end {
                let made = make(step);
                let failed = made.is_err();
                if send.send(made).is_err() || failed {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("batches".into()).spawn(work);
        thread.ok().map(|_| (first, ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[test]
    fn batches_come_in_order_and_from_anywhere() {
        let mut feed = Feed::new(Arc::new(|step| Ok(10 * step)), 8);
        // In order, back, ahead, and beyond the end.
        for step in [0, 1, 2, 3, 1, 2, 6, 7, 8, 9, 100, 101, 3] {
            assert_eq!(feed.take(step).unwrap(), 10 * step);
        }
    }

    #[test]
    fn the_thread_stays_a_few_batches_ahead_and_ends_with_the_feed() {
        let made = Arc::new(AtomicU64::new(0));
        let count = made.clone();
        let make = move |step| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(step)
        };
        let mut feed = Feed::new(Arc::new(make), 1_000_000);
        for step in 0..5 {
            feed.take(step).unwrap();
        }
        thread::sleep(Duration::from_millis(50));
        let ahead = made.load(Ordering::SeqCst) - 5;
        assert!(ahead <= READY as u64 + 1, "{ahead} batches ahead");
        drop(feed);
        thread::sleep(Duration::from_millis(50));
        let end = made.load(Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(made.load(Ordering::SeqCst), end);
    }

    #[test]
    fn a_batch_that_cannot_be_made_is_an_error_of_its_own_step() {
        let make = |step| match step {
            3 => Err(TrainError::Config("no".into())),
            step => Ok(step),
        };
        let mut feed = Feed::new(Arc::new(make), 10);
        for step in 0..3 {
            assert_eq!(feed.take(step).unwrap(), step);
        }
        assert_eq!(feed.take(3).unwrap_err().to_string(), "no");
    }
}
