import { test } from 'tap'
import { suggest } from '../../src/core/suggest.ts'

test('the nearest known word is suggested', async t => {
  const known = ['serve', 'run', 'openapi', 'cat-facts', 'postcard']
  for (const [word, meant] of [
    ['sevre', 'serve'],
    ['rnu', 'run'],
    ['opnapi', 'openapi'],
    ['cat-fact', 'cat-facts'],
    ['catfacts', 'cat-facts'],
    ['CAT-FACTS', 'cat-facts'],
    ['post', 'postcard'],
  ] as const) {
    t.equal(suggest(word, known), `: did you mean '${meant}'?`, word)
  }
})

test('of two that are near the nearer one is suggested', async t => {
  t.equal(suggest('brees', ['breads', 'breed']), ": did you mean 'breed'?")
})

test('without a similar word nothing is suggested', async t => {
  for (const word of ['weather', 'x-y-z-0-1', 'facts-about-cats']) t.equal(suggest(word, ['serve', 'run']), '', word)
  t.equal(suggest('serve', []), '')
})
