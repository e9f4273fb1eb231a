"""How people write in Spanish, by what they mean. `{n}` is the number they give. Written for the simulation alone."""

from collections.abc import Mapping
from typing import Final

from reminders.management.simulation.meaning import Meaning

PHRASES: Final[Mapping[Meaning, tuple[str, ...]]] = {
    Meaning.NUMBER: (
        "{n}", "{n}", "{n}", "{n}/10", "{n} de 10", "un {n}", "como un {n}", "{n} gracias", "diria que {n}", "{n}.",
        "Hola, {n}", "ahora mismo un {n}", "le doy un {n}", "{n} hoy",
    ),
    Meaning.NUMBER_LOW: (
        "{n}, mucho mejor", "{n}, casi ni lo noto", "{n} todo bien", "ya solo un {n}", "{n}, me siento muy bien",
        "anoche era un 7, ahora {n}",
    ),
    Meaning.NUMBER_HIGH: (
        "{n}, todavía me duele", "sigue en {n}", "{n} y me duele al caminar", "un {n}, sigo adolorida",
        "{n}, me molesta bastante al girar el cuello",
    ),
    Meaning.FINE: (
        "todo bien, ya no me duele nada", "me siento muy bien", "estoy bien gracias", "ya se me quito el dolor",
        "mucho mejor, gracias", "sin dolor", "ya no siento molestia", "como nuevo", "ningún dolor",
        "excelente, sin molestias",
        "ya estoy bien", "sin dolor desde las 5 de la mañana",
    ),
    Meaning.MILD: (
        "apenas me duele", "muy poquito", "casi nada", "una molestia mínima", "muy leve", "apenas lo noto",
        "un poquito nada más",
    ),
    Meaning.SORE: (
        "todavía me duele", "sigue igual que ayer", "me duele cuando me muevo", "no ha mejorado", "sigo adolorido",
        "aún me duele bastante", "igual, me duele al subir el brazo", "me sigue doliendo la pierna",
        "sin cambios, duele",
    ),
    Meaning.VERY_SORE: (
        "me duele muchísimo", "estoy peor que ayer", "me está matando el dolor", "amanecí peor", "duele un montón",
        "me duele mucho hoy",
    ),
    Meaning.BRUISE: (
        "bien, solo un moretón pequeño", "todo bien, un moretoncito donde la aguja",
        "sin dolor, nada más un moretón chico",
    ),
    Meaning.QUESTION: (
        "¿puedo salir a correr mañana?", "¿cuándo es mi próxima cita?", "¿me pueden llamar?", "¿puedo nadar?",
        "¿se puede cambiar la cita al viernes?", "¿cuánto tiempo debo descansar?", "¿aceptan mi seguro?",
        "¿puedo ir a las 4?",
        "puedo levantar pesas hoy?",
    ),
    Meaning.CHATTER: (
        "gracias!", "muchas gracias", "hola", "ok recibido", "buenos días", "jaja qué amables", "👋",
        "nos vemos la semana que viene",
        "estoy en el trabajo, luego escribo", "entendido",
    ),
    Meaning.OPT_OUT: (
        "STOP", "ALTO", "baja", "ya no me manden mensajes", "no quiero más mensajes",
        "quiero cancelar estos mensajes",
        "dejen de escribirme por favor", "cancelar",
    ),
    Meaning.TREND_BETTER: ("va mejorando", "un poco mejor", "ya mejor"),
    Meaning.TREND_SAME: ("sigue igual", "igual", "sin cambios"),
    Meaning.TREND_WORSE: ("va peor", "peor", "está empeorando"),
    Meaning.DANGER: (
        "me falta el aire", "no puedo respirar bien", "me duele el pecho al respirar", "siento el pecho apretado",
        "{n} pero me da una punzada al respirar hondo", "es normal que me duela al respirar?", "no para de sangrar",
        "el moretón está creciendo y está duro", "se me durmió el pie y no lo puedo levantar",
        "me desmayé esta mañana",
        "casi me desmayo", "tengo fiebre y escalofríos", "le está saliendo pus", "se me hinchó la cara y la lengua",
        "me salieron ronchas por todo el cuerpo", "no aguanto el dolor, es insoportable",
        "mi esposo dice que tengo la cara caída", "{n}, sin fiebre pero me cuesta mucho respirar",
        "la piel está roja y caliente y se extiende", "tosí sangre anoche", "siento que se me cierra la garganta",
        "desde ayer no tengo fuerza en la mano",
    ),
}  # fmt: skip
