import { aggregate, refuse } from 'headwaters'
import { z } from 'zod'
import { library } from '../upstreams/library.ts'

const Book = z.object({
  title: z.string(),
  author: z.string(),
  reviews: z.array(z.object({ stars: z.number(), text: z.string() })),
})

/** A book with its reviews. Without the book there is no reply; without the reviews the reply is partial. */
export const book = aggregate('book', {
  url: '/v1/books/{id}',
  params: z.object({ id: z.string().min(1) }),
  query: z.object({ reviews: z.coerce.number().int().min(0).max(20).default(3) }),
  deadline: 1000,
})
  .required('found', ({ params }) => library.book({ id: params.id }))
  .optional('reviews', ({ params, query }) => library.reviews({ id: params.id, limit: query.reviews }), {
    fallback: [],
  })
  .reply(Book, ({ found, reviews }) => {
    if (found === null) refuse(404, 'There is no such book.')
    return { ...found, reviews }
  })
