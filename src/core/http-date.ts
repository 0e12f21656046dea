/** Reads a date as RFC 9110 writes it (section 5.6.7), in ms since 1970; `undefined` for anything else. */
export function readHttpDate(text: string): number | undefined {
  // Date.parse takes far more than the three forms of RFC 9110: all of those begin with a day's name and end with GMT,
  // but for the
  // asctime form, which ends with the year and is in GMT like the others.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun).* (?:GMT|\d{4})$/.test(text)) return undefined
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
