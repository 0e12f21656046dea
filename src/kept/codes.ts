/** The number of codes that are kept. The others are shown as `OTHER`. */
const most = 1000

const texts: (string | undefined)[] = [undefined, 'OTHER']
const indexes = new Map<string, number>()

/** Returns the number of a code of a failure, 0 for `undefined`. Equal codes have equal numbers. */
export function numberOfCode(code: string | undefined): number {
  if (code === undefined) return 0
  const known = indexes.get(code)
  if (known !== undefined) return known
  if (texts.length >= most) return 1
  indexes.set(code, texts.length)
  return texts.push(code) - 1
}

/** Returns the code with a number; `null` for 0. */
export function codeOfNumber(number: number): string | null {
  return texts[number] ?? null
}
