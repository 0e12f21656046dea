import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from 'headwaters'
import { runAggregate, scriptedUpstream } from 'headwaters/testing'
import { book } from '../aggregates/book.ts'
import { library } from '../upstreams/library.ts'

const reviews = [{ stars: 5, text: 'I read it twice.' }]

test('a book has its reviews', async () => {
  await using upstream = await scriptedUpstream()
  upstream
    .answer(library.book({ id: '1' }), { title: 'The Water Book', author: 'A. Rivers' })
    .answer(library.reviews({ id: '1', limit: 1 }), reviews)

  const input = { params: { id: '1' }, query: { reviews: 1 } }
  const { data, complete } = await runAggregate(book, input, { upstreams: { library: upstream } })

  assert.deepEqual(data, { title: 'The Water Book', author: 'A. Rivers', reviews })
  assert.equal(complete, true)
})

test('a book without its reviews is a partial reply', async () => {
  await using upstream = await scriptedUpstream()
  // The failed call is sent again, so two failures are queued.
  upstream
    .answer(library.book, { title: 'The Water Book', author: 'A. Rivers' })
    .status(library.reviews, 500)
    .status(library.reviews, 500)

  const { data, sources } = await runAggregate(book, { params: { id: '1' } }, { upstreams: { library: upstream } })

  assert.deepEqual(data.reviews, [])
  assert.equal(sources.reviews.code, 'UPSTREAM_STATUS')
})

test('an unknown book is a 404', async () => {
  await using upstream = await scriptedUpstream()
  upstream.status(library.book, 404).always(library.reviews, [])

  await assert.rejects(
    runAggregate(book, { params: { id: '3' } }, { upstreams: { library: upstream } }),
    error => error instanceof Problem && error.statusCode === 404,
  )
})
