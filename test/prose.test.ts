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

test('no sentence hides its subject or its term', t => {
  const found = files.flatMap(file =>
    textOf(file)
      .split('\n')
      .flatMap((text, index) => (riddles.test(text) ? [`${file}:${index + 1} ${riddles.exec(text)?.[0]}`] : [])),
  )
  t.same(found, [])
  t.end()
})
