/** A text of any length: a start, a run that is repeated, and an end. */
export interface Shape {
  readonly start: string
  readonly run: string
  readonly end: string
}

/** Ends at which a match fails late: nothing, a character beyond ASCII, the end of a line. */
const ends = ['', '\u20ac', '\n']

const classes: Readonly<Record<string, string>> = {
  d: '07',
  w: 'aZ_9',
  W: '-',
  s: ' \t',
  S: 'x',
  b: 'a ',
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  0: '\0',
}

/** Writes a shape of at least this length. */
export function written({ start, run, end }: Shape, length: number): string {
  const text = start + run.repeat(Math.ceil(length / run.length)) + end
  // A text that is put together of pieces is made one here, and not while it is measured.
  text.indexOf('\u0001')
  return text
}

/** Runs of two parts at most; they are taken evenly from all there are. */
const mostPairs = 40

/**
 * Makes texts that a pattern nearly matches: runs of each character and each word of its source, and of two of them in
 * turn, behind nothing and behind each word, with every end.
 */
export function nearMisses(pattern: RegExp): Shape[] {
  const { characters, words } = partsOf(pattern.source)
  const parts = [...characters, ...words]
  const pairs = parts.flatMap(one =>
    parts
      .slice(0, 8)
      .filter(two => two !== one)
      .map(two => one + two),
  )
  const some = pairs.filter((_, index) => index % Math.ceil(pairs.length / mostPairs) === 0)
  const shapesOf = (runs: readonly string[], starts: readonly string[]) =>
    runs.flatMap(run => starts.flatMap(start => ends.map(end => ({ start, run, end }))))
  return [
    ...shapesOf(parts, ['', ...words, ...[...characters].slice(0, 3)]),
    ...shapesOf(some, ['', ...[...words].slice(0, 1)]),
  ]
}

/** The characters of a pattern's source, those that its classes stand for, and the words in it. */
function partsOf(source: string): { readonly characters: ReadonlySet<string>; readonly words: ReadonlySet<string> } {
  const plain = source
    .replaceAll(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2}))/gi, (_, long: string | undefined, short: string | undefined) =>
      String.fromCharCode(Number.parseInt(long ?? short ?? '', 16)),
    )
    .replaceAll(/\\p\{\w+\}/g, '\u200b')
    .replaceAll(/\(\?(?:[:=!]|<[=!])/g, '(')
    .replaceAll(/(\\.|[^\]])\{(\d+)(?:,\d*)?\}/g, (_, one: string, times: string) => one.repeat(Number(times)))
    .replaceAll(/\]\{\d+(?:,\d*)?\}/g, ']')
  const unescaped = plain.replaceAll(/\\(.)/g, (_, letter: string) => classes[letter] ?? letter)
  const characters = new Set(
    Array.from(unescaped)
      .filter(each => !'^$()|?'.includes(each) || plain.includes(`\\${each}`))
      .slice(0, 24),
  )
  characters.add('a')
  const words = new Set(
    plain
      .replaceAll(/\[(?:[^\]\\]|\\.)*\]/g, '\uffff')
      .replaceAll(/\\([^a-zA-Z0-9])/g, '$1')
      .split(/[\uffff()|?*+^$\\]|\\./)
      .filter(word => word.length > 1)
      .slice(0, 6),
  )
  return { characters, words }
}
