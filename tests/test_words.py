"""What a challenge says, in nine languages, and the class that it asks for, or why none."""

import re

import pytest

from recaptcha.files import DataError
from recaptcha.words import KNOWN, spoken, target_class, word_table

# What reCAPTCHA says around the name of a thing. It names nothing by itself.
SENTENCES = {
    "English": [
        "Select all images with {}",
        "Select all squares with {} If there are none, click skip",
        "Select all images with {} Click verify once there are none left",
        "Please select all squares that match the label: {}.",
    ],
    "Danish": [
        "Vælg alle billeder med {}",
        "Vælg alle felter med {}. Klik på Spring over, hvis der ikke er nogen",
        "Vælg alle billeder med {}. Klik på Bekræft, når der ikke er flere tilbage",
    ],
    "German": [
        "Wähle alle Bilder mit {} aus",
        "Wählen Sie alle Felder mit {} aus. Wenn keine vorhanden sind, klicken Sie auf „Überspringen“",
        "Wähle alle Bilder aus, auf denen {} zu sehen sind. Klicke auf „Bestätigen“, wenn keine mehr übrig sind.",
    ],
    "Spanish": [
        "Selecciona todas las imágenes con {}",
        "Selecciona todos los cuadrados en los que aparezcan {} Si no hay ninguno, haz clic en Saltar",
        "Selecciona todas las imágenes en las que haya {}. Haz clic en Verificar cuando ya no quede ninguna.",
    ],
    "French": [
        "Sélectionnez toutes les images contenant des {}",
        "Sélectionnez toutes les cases montrant des {}. S'il n'y en a pas, cliquez sur \"Ignorer\"",
        "Sélectionnez toutes les images avec des {} Cliquez sur Valider une fois qu'il ne reste plus d'images",
    ],
    "Italian": [
        "Seleziona tutte le immagini con {}",
        "Seleziona tutti i riquadri con {}. Se non ce ne sono, fai clic su Salta",
        "Seleziona tutte le immagini contenenti {}. Fai clic su Verifica quando non ne sono rimaste più",
    ],
    "Portuguese": [
        "Selecione todas as imagens com {}",
        "Selecione todos os quadrados com {}. Se não houver nenhum, clique em Ignorar",
        "Selecione todas as imagens que mostram {} Clique em verificar quando não houver mais imagens",
    ],
    "Dutch": [
        "Selecteer alle afbeeldingen met {}",
        "Selecteer alle vierkanten met {}. Klik op Overslaan als er geen zijn",
        "Selecteer alle afbeeldingen van {}. Klik op Verifiëren als er geen meer over zijn.",
    ],
    "Chinese": [
        "请选择包含{}的所有图块",
        "请选择包含{}的所有图片。如果没有新图片可选，请点击“验证”",
        "选择所有包含{}的方格,如果没有,请点击“跳过”",
        "請選取包含{}的所有圖片",
        "選取所有含有{}的方格。如果都沒有，請按一下「略過」",
    ],
}
ROWS = [(row["language"], row["thing"], row["words"].split("; ")) for row in word_table()]
REFUSED = "no class of this network; it knows Bicycle, "


def refusal(text):
    with pytest.raises(DataError) as caught:
        target_class(text)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("language, thing, words", ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_word_in_every_sentence_is_its_class_or_refused(language, thing, words):
    for word in words:
        for sentence in ["{}", *SENTENCES[language]]:
            text = sentence.format(word)
            if thing in KNOWN:
                assert target_class(text) == target_class(text.upper()) == thing, text
            else:
                line = refusal(text)
                named = "" if thing.casefold() in text.casefold() else f" ({thing})"
                assert line.startswith(f"target {text!r}{named}: {REFUSED}"), line


def test_what_stands_around_a_thing_names_nothing():
    for language, sentences in SENTENCES.items():
        for sentence in sentences:
            assert refusal(sentence.format("")).endswith(f", in {spoken()}"), language


def test_every_language_has_a_word_for_everything():
    things = list(dict.fromkeys(thing for _, thing, _ in ROWS))
    assert things[:11] == list(KNOWN) and len(things) >= 11 + 15
    assert [(language, thing) for language, thing, _ in ROWS] == [(lang, one) for lang in SENTENCES for one in things]


def test_the_table_is_words_and_no_word_means_two_things():
    """A misprint, such as a comma for a semicolon, would make a word that nobody says."""
    meant = {}
    for language, thing, words in ROWS:
        for word in words:
            assert re.fullmatch(r"[^\W\d_]+([ '-][^\W\d_]+)*", word), (language, thing, word)
            meant.setdefault(word.casefold(), set()).add(thing)
    assert {word: things for word, things in meant.items() if len(things) > 1} == {}


@pytest.mark.parametrize(
    "text, thing",
    [
        ("Selecciona todas las imagenes con autobuses", "Bus"),
        ("semaforos", "Traffic Light"),
        ("semáforos", "Traffic Light"),
        ("SEMÁFOROS", "Traffic Light"),
        ("montanas o colinas", "Mountain"),
        ("passages pour pietons", "Crosswalk"),
        ("une bouche d’incendie", "Hydrant"),
        ("bouche d incendie", "Hydrant"),
        ("onibus", "Bus"),
        ("faixas de pedestres", "Crosswalk"),
        ("auto’s", "Car"),
        ("Motorraeder", "Motorcycle"),
        ("Bruecken", "Bridge"),
        ("bergen of heuvels", "Mountain"),
        ("montagne o colline", "Mountain"),
        ("  车 公交车 ", "Bus"),
        ("公共汽车", "Bus"),  # ends in 汽车, cars
        ("摩托车", "Motorcycle"),
        ("电单车", "Motorcycle"),  # ends in 单车, bicycles
        ("山地车", "Bicycle"),  # begins with 山, mountains
        ("棕榈树", "Palm"),  # ends in 树, trees
        ("桥梁", "Bridge"),
        ("橋樑", "Bridge"),
        ("mountain bikes", "Bicycle"),
        ("motor bikes", "Motorcycle"),
        ("palm trees", "Palm"),
        ("autocarros", "Bus"),  # Portuguese
    ],
)
def test_accents_apostrophes_and_words_within_words(text, thing):
    assert target_class(text) == thing


@pytest.mark.parametrize(
    "text",
    [
        "la bussola",  # an Italian compass
        "Brötchen",
        "carpets",
        "carport",
        "palmares",
        "el camino",  # Spanish: the path; Italian: the chimney
        "afbeeldingen van",  # Dutch: pictures of
        "车",
        "conos",
    ],
)
def test_words_that_only_look_like_one(text):
    assert refusal(text).endswith(f", in {spoken()}")


@pytest.mark.parametrize(
    "text, thing",
    [
        ("tractors", "tractors"),
        ("a van", "vans"),
        ("camping-cars", "RVs"),
        ("estatuas", "statues"),
        ("autocarri", "trucks"),  # Italian
        ("出租汽车", "taxis"),  # ends in 汽车, cars
        ("fire trucks", "trucks"),
        ("Panneaux de signalisation", "street signs"),
    ],
)
def test_what_is_refused_by_name(text, thing):
    line = refusal(f"Select all images with {text}")
    assert thing in line.split(": ")[0] and REFUSED in line


def test_one_at_a_time():
    assert refusal("cars and buses").endswith(": names Bus and Car; one at a time")
    assert refusal("cars or trucks").endswith(": names Car and trucks; one at a time")
    assert refusal("  ").startswith("the target is empty; it is one of Bicycle, ")
