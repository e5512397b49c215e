"""The words in the pictures, in both languages."""

from typing import Final

from service.pictures.options import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "picture": "Picture",
        "heatmap": "Attribution",
        "blend": "Overlay",
        "absolute": "|attribution|",
        "positive": "attribution > 0",
        "negative": "attribution < 0",
        "all": "attribution",
        "lowers": "lowers",
        "raises": "raises",
        "others": "{count} more",
        "cut": "… {count} more characters",
    },
    "es": {
        "picture": "Imagen",
        "heatmap": "Atribución",
        "blend": "Superposición",
        "absolute": "|atribución|",
        "positive": "atribución > 0",
        "negative": "atribución < 0",
        "all": "atribución",
        "lowers": "reduce",
        "raises": "aumenta",
        "others": "{count} más",
        "cut": "… {count} caracteres más",
    },
}
