import type { Row } from './run-view.ts'

const dim = 2
const red = 31
const green = 32
const yellow = 33
const cyan = 36

const codes: Readonly<Record<Row['state'] | 'mark', number>> = {
  mark: dim,
  waiting: dim,
  running: cyan,
  ok: green,
  stale: yellow,
  partial: yellow,
  fallback: yellow,
  skipped: dim,
  failed: red,
  cancelled: dim,
}

/** Returns the text in the colour of a state. */
export function paint(color: boolean, state: keyof typeof codes, text: string): string {
  return color && text.trim() !== '' ? `\x1b[${codes[state]}m${text}\x1b[0m` : text
}
