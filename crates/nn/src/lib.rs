//! Networks: MLP field, U-Net, classifier
