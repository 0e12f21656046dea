/** Returns a query parameter as a whole number from 1 to `max`, or the fallback for any other text. */
export function wholeNumber(text: string | null, fallback: number, max: number): number {
  if (text === null || !/^\d{1,9}$/.test(text)) return fallback
  const number = Number(text)
  return number === 0 ? fallback : Math.min(number, max)
}
