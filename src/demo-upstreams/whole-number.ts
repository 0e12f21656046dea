/** Reads a query parameter as a whole number from 1 to `max`, or gives the fallback when it is none. */
export function wholeNumber(text: string | null, fallback: number, max: number): number {
  if (text === null || !/^\d{1,9}$/.test(text)) return fallback
  const number = Number(text)
  return number === 0 ? fallback : Math.min(number, max)
}
