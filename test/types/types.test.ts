import { join } from 'node:path'
import { test } from 'tap'
import { compile, copyOf, project, withErrors } from '../helpers/compiled.ts'

const here = import.meta.dirname

/** The lines of a file that the compiler refuses, from 1. */
function refusedLines(output: string): ReadonlySet<number> {
  return new Set(Array.from(output.matchAll(/copy\.ts\((\d+),/g), match => Number(match[1])))
}

test('right declarations compile with the types they promise, and wrong ones are refused', async t => {
  const folder = t.testdir({
    'tsconfig.json': project([join(here, 'right-declarations.ts'), join(here, 'wrong-declarations.ts')]),
  })
  t.strictSame(await compile(folder), { code: 0, output: '' })
})

test('each wrong declaration is refused for itself, and the compiler says what to do', async t => {
  const copy = withErrors(copyOf(join(here, 'wrong-declarations.ts')))
  const folder = t.testdir({ 'copy.ts': copy, 'tsconfig.json': project(['copy.ts']) })
  const { code, output } = await compile(folder)
  t.not(code, 0)

  let number = 0
  const numbers = copy.split('\n').map(line => (number = Number(/^\/\/ (\d+) /.exec(line)?.[1] ?? number)))
  const refused = new Set(Array.from(refusedLines(output), line => numbers[line - 1]))
  const wanted = [...new Set(numbers)].filter(each => each > 0 && each !== 19).toSorted((a, b) => a - b)
  t.strictSame(
    [...refused].sort((a = 0, b = 0) => a - b),
    wanted,
    'every one is refused, and nothing else',
  )

  for (const sentence of [
    "a step 'found' is already declared",
    "'query' is part of the input: choose another step name",
    "required step 'a' cannot skip: make it optional",
    "step 'a' must return a call, a value or skip",
    "step 'a' returns several calls: use each or firstOf",
    'context() returns one value, or one call: await several with ask',
    "pages 'a' must return the call of its first page: return further calls from next",
    'each function of a chain must return a call or a value',
    'each function of a chain returns one call or a value, and cannot skip',
    "step 'a' returns a chain: use each, and return a list",
    'the fallback has a call in its list, which is never sent: ask it in the function of the step',
    'give the keys a type: call: (ids: readonly string[]) => ({ ids })',
    'the module exports several functions: name one',
    'a thread cannot return a call or skip: return data',
    'a thread receives no signal: remove signal from the parameters of the function',
  ])
    t.ok(output.includes(sentence), sentence)
})

test('a promised type that differs does not compile', async t => {
  const copy = copyOf(join(here, 'right-declarations.ts')).replaceAll('>(true)', '>(false)')
  const folder = t.testdir({ 'copy.ts': copy, 'tsconfig.json': project(['copy.ts']) })
  const { output } = await compile(folder)
  const refused = refusedLines(output)
  const blind = copy
    .split('\n')
    .flatMap((line, index) => (line.includes('>(false)') && !refused.has(index + 1) ? [line.trim()] : []))
  t.ok(refused.size > 40)
  t.strictSame(blind, [], 'every promise can be broken')
})
