import { breeds } from './breeds.ts'

/** One article of the demo encyclopedia. */
export interface Article {
  title: string
  /** A few words. */
  description: string
  /** One to three sentences. */
  extract: string
  /** Whether it comes with a picture. */
  pictured: boolean
}

/** The articles of the demo encyclopedia, in the words of this project. */
export const articles: readonly Article[] = [
  {
    title: 'Cat',
    description: 'Small domesticated carnivorous mammal',
    extract:
      'The cat, Felis catus, is a small meat-eating mammal and the only domesticated member of the family Felidae. Cats have lived with people for about ten thousand years, as mousers and as company.',
    pictured: true,
  },
  {
    title: 'Felidae',
    description: 'Family of mammals',
    extract:
      'Felidae is the family of the cats in the order Carnivora. It holds about forty living species, from the rusty-spotted cat to the tiger.',
    pictured: true,
  },
  {
    title: 'Kitten',
    description: 'Juvenile cat',
    extract:
      'A kitten is a young cat. Kittens are born blind and deaf, and depend on their mother for the first weeks of their lives.',
    pictured: true,
  },
  {
    title: 'Purr',
    description: 'Sound made by some species of felids',
    extract:
      'A purr is a soft, buzzing sound that cats make while breathing in and out. It goes with comfort in most cases, and with pain in some.',
    pictured: false,
  },
  ...breeds.map(({ article, summary }) => ({
    title: article,
    description: 'Breed of cat',
    extract: summary,
    pictured: true,
  })),
]
