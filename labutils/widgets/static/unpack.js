// The widget's own module is packed to keep notebooks small; unpacked, it is the text of labutils/widgets/static.
const packed = Uint8Array.from(atob("SOURCE"), (letter) => letter.charCodeAt(0));
const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const widget = await import(address);
URL.revokeObjectURL(address);
export default widget.default;
