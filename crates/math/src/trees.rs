//! Rooted trees and their elementary weights, which order conditions are made of (Butcher; Hairer,
//! Nørsett & Wanner I, II.2; for Rosenbrock methods Hairer & Wanner II, IV.7). For tests.

use crate::linalg::dot;

/// A rooted tree: its root's subtrees, sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tree(Vec<Tree>);

impl Tree {
    /// The number of nodes.
    pub(crate) fn order(&self) -> u32 {
        1 + self.0.iter().map(Tree::order).sum::<u32>()
    }

    /// γ: the order times the γ of the subtrees.
    pub(crate) fn gamma(&self) -> f64 {
        f64::from(self.order()) * self.0.iter().map(Tree::gamma).product::<f64>()
    }

    /// The elementary weight of every stage, φᵢ = Π over subtrees τ of Σⱼ aᵢⱼφⱼ(τ); where there is
    /// one subtree only, bᵢⱼ takes the place of aᵢⱼ. A Runge–Kutta method has one matrix, b = a;
    /// a Rosenbrock method adds its implicit coefficients: b = a + γ.
    pub(crate) fn weights<R: AsRef<[f64]>>(&self, a: &[R], b: &[R]) -> Vec<f64> {
        let matrix = if self.0.len() == 1 { b } else { a };
        let mut phi = vec![1.0; a.len()];
        for subtree in &self.0 {
            let inner = subtree.weights(a, b);
            for (phi, row) in phi.iter_mut().zip(matrix) {
                *phi *= dot(row.as_ref(), &inner);
            }
        }
        phi
    }
}

/// All rooted trees of up to `order` nodes: every tree of n + 1 nodes grows from one of n by a leaf.
pub(crate) fn trees(order: u32) -> Vec<Tree> {
    let mut all = vec![Tree(vec![])];
    let mut last = all.clone();
    for _ in 1..order {
        last = last.iter().flat_map(grown).collect();
        last.sort();
        last.dedup();
        all.extend(last.iter().cloned());
    }
    all
}

/// Every tree that has a leaf more.
fn grown(tree: &Tree) -> Vec<Tree> {
    let mut all = vec![[tree.0.clone(), vec![Tree(vec![])]].concat()];
    for i in 0..tree.0.len() {
        for larger in grown(&tree.0[i]) {
            let mut subtrees = tree.0.clone();
            subtrees[i] = larger;
            all.push(subtrees);
        }
    }
    for subtrees in &mut all {
        subtrees.sort();
    }
    all.into_iter().map(Tree).collect()
}

/// The absolute values of a matrix.
pub(crate) fn absolute<R: AsRef<[f64]>>(a: &[R]) -> Vec<Vec<f64>> {
    a.iter()
        .map(|row| row.as_ref().iter().map(|a| a.abs()).collect())
        .collect()
}

#[test]
fn number_of_rooted_trees() {
    let count = |order| trees(order).iter().filter(|t| t.order() == order).count();
    assert_eq!([1, 2, 3, 4, 5, 6].map(count), [1, 1, 2, 4, 9, 20]);
}
