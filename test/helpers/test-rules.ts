/** Returns what the text of a test file does that no test may do, each with its line. */
export function faultsOfTest(text: string): string[] {
  return [...emptyPasses(text), ...withoutAssertion(text), ...sleeps(text), ...unboundedPolls(text), ...badTitles(text)]
}

const lineAt = (text: string, index: number) => text.slice(0, index).split('\n').length

/** Finds `t.pass` with less than a sentence: what it states must be a fact that the code before it has established. */
function emptyPasses(text: string): string[] {
  return Array.from(text.matchAll(/\bt\.pass\(\s*(?:(['"`])(.*?)\1)?\s*,?\s*\)/g))
    .filter(([, , message = '']) => message.split(' ').length < 4)
    .map(({ index }) => `line ${lineAt(text, index)}: t.pass() does not state what was shown`)
}

const unasserted = /\btest\(\s*(['"`])(?:\\.|(?!\1)[^\\])*\1,\s*(?:\{[^}]*\},\s*)?(?:async )?\(\) =>/g

/** Finds tests that take no `t` and have no property: nothing in them can fail but an exception. */
function withoutAssertion(text: string): string[] {
  return Array.from(text.matchAll(unasserted))
    .filter(({ index }) => !text.slice(index, text.indexOf('\n})', index)).includes('fc.assert('))
    .map(({ index }) => `line ${lineAt(text, index)}: a test that asserts nothing`)
}

const sleep =
  /import \{[^}]*\bsetTimeout\b[^}]*\} from 'node:timers\/promises'|\bawait (?:delay|sleep|setTimeout)\(|new Promise(?:<\w+>)?\(\(?(\w+)\)? =>\s*\{?\s*setTimeout\(\s*\(?\)?(?: => )?\1\b/g

/** Finds waits for a number of ms; a timer that stands for the delay of an upstream is none. */
function sleeps(text: string): string[] {
  return Array.from(
    text.matchAll(sleep),
    ({ index }) => `line ${lineAt(text, index)}: a sleep; use until(), or elapsed() where a duration is under test`,
  )
}

const loop = /(?<=^|\) |else )[ \t]*(while|for|do)\b(?: \()?/gm

/**
 * Finds loops that wait and have no bound: neither a clock nor a counter in the condition, nor a flag that the test sets.
 * Relies on the layout of prettier: a body ends at the indentation of its loop.
 */
function unboundedPolls(text: string): string[] {
  const found: string[] = []
  for (const { index, 0: whole, 1: keyword } of text.matchAll(loop)) {
    const start = text.indexOf(keyword as string, index)
    const indent = /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', start) + 1, start))?.[0] ?? ''
    const rest = text.slice(start)
    const end = rest.search(new RegExp(`\\n${indent}(?![ \\t)])`))
    const head = keyword === 'do' ? rest.slice(0, end + 1) : conditionOf(rest.slice(whole.trimStart().length - 1))
    const isEmpty = rest.slice(rest.indexOf(head) + head.length).startsWith(';')
    const body = isEmpty ? head : rest.slice(0, end === -1 ? rest.length : end)
    const isBounded =
      keyword === 'for'
        ? !/^\(\s*;\s*;\s*\)$|^\([^;]*;\s*;\s*\)$/.test(head)
        : keyword === 'while' && /performance\.now\(\)|\+\+|--|^\(!\w+\)$/.test(head)
    if (!isBounded && /\bawait\b/.test(body))
      found.push(`line ${lineAt(text, start)}: a loop that waits without a bound; use until()`)
  }
  return found
}

/** Returns the text from an opening parenthesis to the one that closes it. */
function conditionOf(text: string): string {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return text.slice(0, at + 1)
  }
  return text
}

const titled = /\btest\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g
const leaning =
  /^(?:and|but|so|then|the same|it|its|they|their|one that|one who|whoever|who|whose|what|how|whether|which|why|neither|nor|likewise)\b/i
const hiding =
  /\b(?:whoever|nobody|somebody|no one|told length|length that was told|anew|stands? in for|at its word)\b|(?<!there )\b(?:is|are|was|were) (?:no (?!longer\b|more\b)[a-z]|none\b)/i

/** Finds titles that cannot be read alone, or that two tests of a file have. */
function badTitles(text: string): string[] {
  const titles = new Set<string>()
  return Array.from(text.matchAll(titled)).flatMap(({ index, 2: title = '' }) => {
    const isTwice = titles.has(title)
    titles.add(title)
    const where = `line ${lineAt(text, index)}: the title '${title}'`
    return [
      ...(leaning.test(title) ? [`${where} does not name its subject`] : []),
      ...(hiding.test(title) ? [`${where} hides its subject or its term`] : []),
      ...(isTwice ? [`${where} is that of another test`] : []),
    ]
  })
}
