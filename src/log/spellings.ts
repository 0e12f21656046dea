/** A text shorter than this is not treated as a secret, because it occurs in too many lines by chance. */
const shortest = 4

/** Characters that `encodeURIComponent` does not encode and RFC 3986 reserves. */
const leftByUri = /[!'()*]/g
/** Characters that Go's JSON encoder and others write as `\u00xx`. */
const htmlUnsafe = /[<>&]/g

/**
 * Returns the texts in which a secret may appear in a line of JSON: unchanged, and encoded for URLs, forms, HTML,
 * base64, hexadecimal and JSON.
 */
export function spellings(secret: string): string[] {
  if (secret.length < shortest) return []
  const bytes = Buffer.from(secret)
  const plain = [
    secret,
    ...encodedForUri(secret),
    html(secret),
    ...base64(bytes),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]
  // A JSON text within a text is escaped again. The line itself is one level, so three levels are two nested texts.
  const escaped = plain.flatMap(text =>
    escapes(text).flatMap(once => [once, ...escapes(once).flatMap(twice => [twice, ...escapes(twice)])]),
  )
  return [...new Set([...plain, ...escaped])].filter(text => text.length >= shortest)
}

function encodedForUri(secret: string): string[] {
  // `encodeURIComponent` throws for a lone surrogate, which cannot be sent either.
  const component = encodeURIComponent(secret.toWellFormed())
  const strict = component.replaceAll(leftByUri, hexOf)
  const each = [
    component,
    strict,
    encodeURI(secret.toWellFormed()),
    new URLSearchParams({ a: secret }).toString().slice(2),
  ]
  const twice = each.map(encodeURIComponent)
  return [...each, ...twice].flatMap(text => [text, text.replaceAll(/%[\dA-F]{2}/g, hex => hex.toLowerCase())])
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function html(secret: string): string {
  return secret
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/**
 * Returns the base64 texts of the secret at any position within other bytes. Three bytes become four characters, so
 * there are three alignments. Each text contains only the characters that do not depend on the bytes around the secret.
 */
function base64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap(before => {
    const all = Buffer.concat([Buffer.alloc(before), bytes])
    // Each character is 6 bits.
    const text = all.toString('base64url').slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6))
    const standard = text.replaceAll('-', '+').replaceAll('_', '/')
    return [text, standard, encodeURIComponent(standard)]
  })
}

/** Returns the forms in which JSON encoders write a text, without its quotes. */
function escapes(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1)
  const ascii = json.replaceAll(/[^\x20-\x7e]/g, escapeOf)
  return [json, ascii, json.replaceAll('/', '\\/'), ascii.replaceAll(htmlUnsafe, escapeOf)]
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
