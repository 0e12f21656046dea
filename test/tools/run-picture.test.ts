import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { drawRun } from '../../tools/run-picture/draw.ts'
import { recordRun, type RunRecord } from '../../tools/run-picture/record.ts'
import { elementsOf } from '../helpers/svg.ts'

const committed = (scheme: string) =>
  readFileSync(join(import.meta.dirname, '../../docs/images', `run-${scheme}.svg`), 'utf8')

/** What a picture shows apart from its times: sentences without numbers of ms, and how many bars of each kind there are. */
function structureOf(svg: string) {
  const elements = elementsOf(svg)
  const bars = elements
    .map(({ attributes }) => attributes['class'] ?? '')
    .filter(kind => /^(?:answered|failed)$/.test(kind))
  const texts = elements.filter(
    ({ name, attributes }) => name === 'desc' || /^(?:head|name|state)$/.test(attributes['class'] ?? ''),
  )
  return {
    bars: Object.fromEntries(['answered', 'failed'].map(kind => [kind, bars.filter(each => each === kind).length])),
    texts: texts.map(({ text }) => text.replaceAll(/\d+ ms/g, 'N ms')),
  }
}

const run: RunRecord = {
  name: 'cards',
  deadline: 400,
  end: 300,
  isComplete: false,
  steps: [
    {
      name: 'one',
      start: 0,
      end: 300,
      state: 'ok',
      code: undefined,
      calls: [
        { attempts: [{ start: 0, end: 100, code: undefined }] },
        {
          attempts: [
            { start: 100, end: 200, code: 'UPSTREAM_RESET' },
            { start: 250, end: 300, code: undefined },
          ],
        },
      ],
    },
    {
      name: 'two',
      start: 0,
      end: 10,
      state: 'fallback',
      code: 'UPSTREAM_STATUS',
      calls: [{ attempts: [{ start: 0, end: 10, code: 'UPSTREAM_STATUS' }] }],
    },
  ],
}

test('a recorded run of the script gives pictures of the structure of the committed ones', async t => {
  const recorded = await recordRun()
  for (const scheme of ['light', 'dark'] as const)
    t.same(structureOf(drawRun(recorded, scheme)), structureOf(committed(scheme)), scheme)
  t.equal(recorded.isComplete, false)
  t.same(
    recorded.steps.map(({ state }) => state),
    ['ok', 'ok', 'fallback'],
  )
})

test('the picture of a run has a bar for each attempt and each wait, at its time', t => {
  const elements = elementsOf(drawRun(run, 'light'))
  const bars = elements.filter(({ name, attributes }) => name === 'rect' && attributes['rx'] === '2').slice(0, -3)
  // The axis of 400 ms is 452 px wide and begins at 104 px.
  t.same(
    bars.map(({ attributes: { class: kind, x, width } }) => [kind, Number(x), Number(width)]),
    [
      ['answered', 104, 113],
      ['waits', 104, 113],
      ['failed', 217, 113],
      ['waits', 330, 56.5],
      ['answered', 386.5, 56.5],
      ['failed', 104, 11.3],
    ],
  )
  t.end()
})

test('the picture of a run says in text what its colours say', t => {
  const svg = drawRun(run, 'light')
  const texts = elementsOf(svg).filter(({ name }) => name === 'text')
  for (const text of [
    '1 failed',
    'ok, 3 attempts, 300 ms',
    'fallback, 1 attempt, 10 ms',
    'UPSTREAM_STATUS',
    'deadline 400 ms',
  ])
    t.ok(
      texts.some(each => each.text === text),
      text,
    )
  t.match(
    svg,
    '<desc id="desc">one: 2 calls, ok, 3 attempts, 300 ms. two: 1 call, fallback, 1 attempt, 10 ms, UPSTREAM_STATUS.',
  )
  t.match(svg, '<title id="title">One run of the aggregate cards: 200 after 300 ms, partial')
  t.match(svg, 'role="img" aria-labelledby="title desc"')
  t.end()
})

test('the pictures for a light page and for a dark one differ in colours alone', t => {
  const plain = (svg: string) => svg.replaceAll(/#[0-9a-f]{6}/g, '#')
  t.not(drawRun(run, 'light'), drawRun(run, 'dark'))
  t.equal(plain(drawRun(run, 'light')), plain(drawRun(run, 'dark')))
  t.equal(plain(committed('light')), plain(committed('dark')))
  t.end()
})
