// How many SMS a text takes, which is what a message costs and how it may arrive torn.
// Source: 3GPP TS 23.038 (GSM 7-bit alphabet and its extension), TS 23.040 (concatenation).

const kBasic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡' +
  'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿' +
  'abcdefghijklmnopqrstuvwxyzäöñüà';
const kExtended = '\f^{}\\[~]|€';

/// The number of segments: 160 characters of the GSM alphabet in one, 153 in each of several; 70 and 67 as soon as one
/// character is outside of it.
export function segmentsOf(text) {
  const characters = [...text];
  const isGsm = characters.every((one) => kBasic.includes(one) || kExtended.includes(one));
  if (!isGsm) return parts(text.length, 70, 67);
  const units = characters.reduce((sum, one) => sum + (kExtended.includes(one) ? 2 : 1), 0);
  return parts(units, 160, 153);
}

function parts(units, alone, joined) {
  return units <= alone ? 1 : Math.ceil(units / joined);
}
