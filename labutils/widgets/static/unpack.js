// The widget's own module is packed to keep notebooks small; unpacked, it is the text of labutils/widgets/static.
// Base 85, as Python's base64.b85encode writes it: five letters are a number of four bytes, the most significant first.
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const number = five => [...five].reduce((sum, letter) => 85 * sum + LETTERS.indexOf(letter), 0);
const bytes = "SOURCE".match(/.{5}/g).map(number).flatMap(word => [word >>> 24, word >>> 16, word >>> 8, word]);
const text = new Blob([Uint8Array.from(bytes).slice(0, LENGTH)]).stream().pipeThrough(new DecompressionStream("deflate"));
const script = new Response(text, { headers: { "Content-Type": "text/javascript" } });
const address = URL.createObjectURL(await script.blob());
const widget = await import(address);
URL.revokeObjectURL(address);
export default widget.default;
