import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

interface Term {
  readonly term: string
  readonly meaning: string
  /** Exports and options. */
  readonly names: readonly string[]
  readonly notUsed: readonly string[]
}

const terms: readonly Term[] = read('docs/glossary.md')
  .split('\n')
  .filter(line => line.startsWith('| **'))
  .map(line => {
    const [term = '', meaning = '', names = '', notUsed = ''] = cellsOf(line)
    return { term: term.replaceAll('**', ''), meaning, names: codesOf(names), notUsed: wordsOf(notUsed) }
  })
const names = terms.flatMap(each => each.names)
const notUsed = [...new Set(terms.flatMap(each => each.notUsed))]

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split(' | ')
    .map(cell => cell.replaceAll(/^[| ]+|[| ]+$/g, ''))
}

/** The texts between backticks. */
function codesOf(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code as string)
}

function wordsOf(list: string): string[] {
  return list
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
}

/** The names that a module exports, types included. */
function exportsOf(file: string): string[] {
  const text = read(file)
  const lists = Array.from(text.matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, list = '']) =>
    wordsOf(list).map(name => name.replace(/^type /, '').replace(/^.* as /, '')),
  )
  const declared = Array.from(
    text.matchAll(/^export (?:async )?(?:function|interface|class|const|type) (\w+)/gm),
    ([, name]) => name as string,
  )
  return [...lists.flat(), ...declared]
}

/** The options in the tables of a page: the first cells of the rows below a heading `option`. */
function optionsOf(page: string): string[] {
  return read(page)
    .split(/\n(?!\|)/)
    .filter(table => /^\n?\| option \|/.test(table))
    .flatMap(table => table.split('\n'))
    .filter(line => line.startsWith('| `'))
    .flatMap(line => codesOf(line.slice(0, line.indexOf(' |', 1))))
}

/** A page without what is code. */
function proseOf(page: string): string {
  return read(page)
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .replaceAll(/\bhttps?:\/\/[^\s)>]+/g, '')
}

/** Whether a text has a word or a phrase, in the singular or the plural. */
function has(text: string, word: string): boolean {
  const singular = word.replace(/s$/, '').replaceAll(/\s+/g, '\\s+')
  return new RegExp(`\\b${singular}s?\\b`, 'i').test(text)
}

/** A name in words: `maxQueue` is `max Queue`. */
function inWords(name: string): string {
  return name.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, ' ').replaceAll(/[._-]/g, ' ')
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md') && name !== 'glossary.md')
    .map(name => `docs/${name}`),
]
const exported = ['src/index.ts', 'src/app.ts', 'src/testing/index.ts', 'src/client/index.ts'].flatMap(exportsOf)
const options = ['docs/options.md', 'docs/embedding.md'].flatMap(optionsOf)

test('the glossary says in a sentence what each term means, and has each term once', async t => {
  t.ok(terms.length > 60)
  t.same(
    terms.filter(({ meaning }) => !/^[A-Z].{15,}\.$/.test(meaning)).map(({ term }) => term),
    [],
  )
  for (const list of [terms.map(({ term }) => term), names])
    t.same(
      list.filter((each, index) => list.indexOf(each) !== index),
      [],
    )
})

test('every export of the package has its term in the glossary', async t => {
  t.ok(exported.length > 55, `${exported.length} exports`)
  t.same(
    exported.filter(name => !names.includes(name)),
    [],
  )
})

test('every option in the tables of the docs has its term in the glossary', async t => {
  t.ok(options.length > 80, `${options.length} options`)
  t.same(
    [...new Set(options)].filter(name => !names.includes(name)),
    [],
  )
})

test('every name in the glossary is one of the sources', async t => {
  const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => read(`src/${file}`))
    .join('\n')
  const isFastifys = (name: string) => name === 'prefix'
  t.same(
    names.filter(name => !isFastifys(name) && !name.split('.').every(part => new RegExp(`\\b${part}\\b`).test(source))),
    [],
  )
})

test('no public name has a word that the glossary says is not used', async t => {
  t.ok(notUsed.length > 30)
  t.same(
    [...exported, ...options, ...names].flatMap(name =>
      notUsed.filter(word => has(inWords(name), word)).map(word => `${name}: ${word}`),
    ),
    [],
  )
})

test('no page has a word that the glossary says is not used', async t => {
  t.same(
    pages.flatMap(page => {
      const prose = proseOf(page)
      return notUsed.filter(word => has(prose, word)).map(word => `${page}: ${word}`)
    }),
    [],
  )
})

test('a word that is not used is found in any form, and not within code', async t => {
  t.ok(has('It holds two Slots.', 'slot'))
  t.ok(has('an own\nlayer', 'own layer'))
  t.ok(has(inWords('freeSlots'), 'slot'))
  t.notOk(has('a bandwidth', 'width'))
  t.notOk(has('they stand in for it', 'stand-in'))
  t.same(cellsOf('| **a** | Means a. | `b`, `c` | d, e |'), ['**a**', 'Means a.', '`b`, `c`', 'd, e'])
  t.same(cellsOf('| **a** | Means a. | | |')[2], '')
})
