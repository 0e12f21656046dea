// A merge takes the fallback for an answer.
// says: 'item' is possibly 'null'
import { base, shop, Total } from './shop.ts'

base
  .optional('item', ({ params }) => shop.item({ id: params.id }), { fallback: null })
  // @ts-expect-error
  .reply(Total, ({ item }) => ({ titles: [], cents: item.cents }))
