mod lanes;
mod text;
