/** Reads a date as RFC 9110 writes it (section 5.6.7), in ms since 1970; `undefined` for anything else. */
export function readHttpDate (text: string): number | undefined {
  // Date.parse takes far more than the three forms of RFC 9110; all of those begin with a day's name.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined
  // The asctime form names no zone, and is in GMT like the others.
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
