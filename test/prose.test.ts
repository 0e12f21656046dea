import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'tap'

const root = new URL('../', import.meta.url)
const files = [
  ...['src', 'bench', 'tools', 'docs'].flatMap(folder =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map(name => `${folder}/${name}`),
  ),
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
].filter(file => /\.(?:ts|cjs|md)$/.test(file) && !/node_modules|\/data\//.test(file))

const textOf = (file: string) => readFileSync(new URL(file, root), 'utf8')

/** The comments `/** … *\/` of a file, with the line on which each begins. */
function docstrings(text: string): { readonly line: number; readonly words: string }[] {
  return Array.from(text.matchAll(/\/\*\*(.*?)\*\//gs), ({ index, 1: inside = '' }) => ({
    line: text.slice(0, index).split('\n').length,
    words: inside.replaceAll(/\n\s*\*/g, ' ').trim(),
  }))
}

test('a docstring begins with a noun or a verb', t => {
  const found = files
    .filter(file => !file.endsWith('.md'))
    .flatMap(file =>
      docstrings(textOf(file))
        .filter(({ words }) => /^(?:What|How|Whether|Who|Whom|Whose|Why|Where|When)\b/.test(words))
        .map(({ line, words }) => `${file}:${line} ${words.slice(0, 60)}`),
    )
  t.same(found, [])
  t.end()
})

/** Words that hide the subject of a sentence, or replace the standard term. An identifier such as `noBody` is none. */
const riddles =
  /\b(?:[Ww]hoever|[Nn]obody|[Ss]omebody|is told|are told|was told|told length|anew|so many|[Nn]o one|for the asking|stands? in for|lets? go of|at its word)\b/

/** Sentences and messages that had to be read twice, each with a plain one that has taken its place. */
const replaced: readonly (readonly [phrase: string, plain: string])[] = [
  ['a run that has waited is old', 'a run that queued is tenured'],
  ['dead it would keep from dying', 'it would retain young objects until the next major collection'],
  ['before stands once', 'context() may be called only once'],
  ['is not kept by anybody', 'cacheControl requires GET'],
  ['while calls are cut each tells its end', 'calls settle synchronously during abort()'],
  ['the last of them is not the end of the cutting', 'settle the run only after abort() returns'],
  ['who stays for the sake of others', 'an abandoned response'],
  ['is not read for ever', 'at most N bytes of it are drained'],
  ['in a turn of its own what', 'in a later turn of the event loop'],
  ['a length is taken at its word', 'Content-Length is preallocated after one eighth has arrived'],
  ['once so much of it has come', 'once one eighth has arrived'],
  ['the time for draining is over', 'drain timeout reached'],
  ['what is under way is cut', 'aborting in-flight requests'],
  ['is not asked for a while', 'circuit breaker opened'],
  ['it has failed too often', 'circuit breaker opened'],
  ['answers those who show', 'requires an API key'],
  ['shows? one of its keys', 'send authorization: Bearer <key>'],
  ['a fault more', 'adding a fault'],
  ['more is there for', 'more options'],
  ['what must be true of all', 'assertions common to every fault'],
  ["['`’] is none: give", 'must be a positive integer (ms), got'],
  ['is none: (?:give|name|set|use) ', 'must be …, got …'],
]

const phrases = new RegExp(
  `(?:^|\\b|(?=\\W))(?:${replaced.map(([phrase]) => phrase.replaceAll(' ', '\\s+')).join('|')})`,
  'gi',
)

/** Returns the prose of a file with each comment and wrapped line as one line, so that a phrase may cross lines. */
const joined = (text: string) => text.replaceAll(/\n\s*(?:\*|\/\/)?[^\S\n]*/g, ' ')

test('no comment, message or page has a phrase that a plain one has replaced', t => {
  const found = files.flatMap(file =>
    Array.from(joined(textOf(file)).matchAll(phrases), ([phrase]) => `${file}: ${phrase}`),
  )
  t.same(found, [])
  t.end()
})

test('a replaced phrase is found in a comment, a message and a table, also across two lines', t => {
  const old = [
    '/** Drops it: a run that has waited is old, and dead it would keep\n * from dying what is young. */',
    "log.warn('the time for draining is over: what is under way is cut')",
    'throw new UsageError(`--deadline ${text} is none: give a whole number`)',
    '| 1 | an upstream is not asked\n   for a while: it has failed too often |',
    '## A fault more',
    '// Who stays for the sake of others\n  // is not read for ever.',
  ]
  t.same(
    old.map(text => Array.from(joined(text).matchAll(phrases)).length),
    [2, 2, 1, 2, 1, 2],
  )
  for (const [, plain] of replaced) t.notMatch(plain, phrases)
  t.end()
})

/** "is no name" in place of "is not a name", and other forms that plain English does not use in a message. */
const inverted =
  /(?<![Tt]here )\b(?:is|are|was|were) no (?!longer\b|more\b)[a-z]|\bcould be had\b|\bnone (?:is|was) given\b|\bdoes not say wh|\bmake an? [a-z]+ of (?:it|them)\b|\bor what [\w.()…]+ made of\b/

test('no message, comment or page negates a noun instead of the verb', t => {
  const found = files.flatMap(file => {
    const text = joined(textOf(file))
    return inverted.test(text) ? [`${file}: ${inverted.exec(text)?.[0]}`] : []
  })
  t.same(found, [])
  for (const old of [
    "auth.query 'a&b' is no name of a query field",
    'A cat to go with them; null when none could be had.',
    "'--fast' is no option of this",
    'this machine does not say what a process uses',
    'make a text of it with .transform(…)',
  ])
    t.match(old, inverted)
  for (const plain of ['There is no route.', 'a connection that is no longer used', 'null if none is available'])
    t.notMatch(plain, inverted)
  t.end()
})

test('no sentence hides its subject or its term', t => {
  const found = files.flatMap(file =>
    textOf(file)
      .split('\n')
      .flatMap((text, index) => (riddles.test(text) ? [`${file}:${index + 1} ${riddles.exec(text)?.[0]}`] : [])),
  )
  t.same(found, [])
  t.end()
})
