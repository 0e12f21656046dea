/** What the stand-ins know about one breed of cat. */
export interface Breed {
  /** Four lower-case letters. */
  id: string
  name: string
  /** Traits, separated by a comma and a space. */
  temperament: string
  origin: string
  countryCode: string
  description: string
  /** Years, such as `14 - 15`. */
  lifeSpan: string
  /** Pounds and kilograms, such as `7 - 10`. */
  weight: { imperial: string, metric: string }
  /** The title of its encyclopedia article. */
  article: string
  summary: string
  /** The words of the list of breeds that catfact.ninja keeps. */
  listing: { country: string, origin: string, coat: string, pattern: string }
}

/** Breeds of cat, in the words of this project, by name. */
export const breeds: readonly Breed[] = [
  {
    id: 'abys',
    name: 'Abyssinian',
    temperament: 'Active, Curious, Gentle, Playful',
    origin: 'Egypt',
    countryCode: 'EG',
    description: 'A slim cat with a ticked coat that wants to see the top of every shelf and to be part of whatever you do.',
    lifeSpan: '14 - 15',
    weight: { imperial: '7 - 10', metric: '3 - 5' },
    article: 'Abyssinian cat',
    summary: 'The Abyssinian is a short-haired breed of cat whose hairs are banded in several shades, which gives the coat its ticked look. It was among the first breeds shown in Britain, and genetic work points to the coasts of the Indian Ocean as the home of its forebears.',
    listing: { country: 'Ethiopia', origin: 'Natural', coat: 'Short', pattern: 'Ticked' }
  },
  {
    id: 'acur',
    name: 'American Curl',
    temperament: 'Affectionate, Curious, Friendly, Gentle',
    origin: 'United States',
    countryCode: 'US',
    description: 'Ears that curve back like petals give this easy-going cat a look of lasting surprise.',
    lifeSpan: '12 - 16',
    weight: { imperial: '5 - 10', metric: '2 - 5' },
    article: 'American Curl',
    summary: 'The American Curl is a breed of cat known by ears that curl backwards. All of them go back to a stray found in Lakewood, California, in 1981.',
    listing: { country: 'United States', origin: 'Mutation', coat: 'Short/Long', pattern: 'All' }
  },
  {
    id: 'asho',
    name: 'American Shorthair',
    temperament: 'Calm, Easygoing, Playful, Sociable',
    origin: 'United States',
    countryCode: 'US',
    description: 'A sturdy working cat by descent that gets on with nearly everyone and still keeps the mice away.',
    lifeSpan: '15 - 17',
    weight: { imperial: '8 - 15', metric: '4 - 7' },
    article: 'American Shorthair',
    summary: 'The American Shorthair is a breed of cat that descends from the ships’ cats and mousers European settlers brought to North America. It is bred in many colours, silver tabby being the best known.',
    listing: { country: 'United States', origin: 'Natural', coat: 'Short', pattern: 'All but colorpoint' }
  },
  {
    id: 'bali',
    name: 'Balinese',
    temperament: 'Affectionate, Intelligent, Playful, Talkative',
    origin: 'United States',
    countryCode: 'US',
    description: 'All the talk and wit of a Siamese under a soft coat that ends in a plumed tail.',
    lifeSpan: '10 - 15',
    weight: { imperial: '4 - 10', metric: '2 - 5' },
    article: 'Balinese cat',
    summary: 'The Balinese is a long-haired breed of cat that arose from Siamese kittens born with longer fur. In spite of its name it was developed in the United States; the name honours the dancers of Bali.',
    listing: { country: 'United States', origin: 'Crossbreed', coat: 'Long', pattern: 'Colorpoint' }
  },
  {
    id: 'beng',
    name: 'Bengal',
    temperament: 'Agile, Alert, Energetic, Intelligent',
    origin: 'United States',
    countryCode: 'US',
    description: 'A small athlete in a leopard’s coat that needs room to climb, things to solve and, quite often, a tap to play with.',
    lifeSpan: '12 - 15',
    weight: { imperial: '6 - 15', metric: '3 - 7' },
    article: 'Bengal cat',
    summary: 'The Bengal is a breed of cat that came from crosses of domestic cats with the Asian leopard cat. Its coat is spotted, rosetted or marbled, and often has a sheen called glitter.',
    listing: { country: 'United States', origin: 'Hybrid', coat: 'Short', pattern: 'Spotted/Marbled' }
  },
  {
    id: 'birm',
    name: 'Birman',
    temperament: 'Affectionate, Gentle, Quiet, Sociable',
    origin: 'France',
    countryCode: 'FR',
    description: 'A quiet companion with deep blue eyes and four white gloves, which likes to be where its people are.',
    lifeSpan: '14 - 15',
    weight: { imperial: '6 - 15', metric: '3 - 7' },
    article: 'Birman',
    summary: 'The Birman is a long-haired breed of cat with a pointed coat and white feet. It was established in France in the 1920s, and legend ties it to the temples of Burma.',
    listing: { country: 'Burma (Myanmar)', origin: 'Natural', coat: 'Long', pattern: 'Colorpoint' }
  },
  {
    id: 'bomb',
    name: 'Bombay',
    temperament: 'Affectionate, Calm, Curious, Gentle',
    origin: 'United States',
    countryCode: 'US',
    description: 'A patent-leather coat and copper eyes make it a panther for the parlour, with a fondness for laps.',
    lifeSpan: '12 - 16',
    weight: { imperial: '6 - 11', metric: '3 - 5' },
    article: 'Bombay cat',
    summary: 'The Bombay is a breed of short-haired black cat developed in Kentucky from Burmese and black American Shorthair cats. It was meant to look like a small black panther.',
    listing: { country: 'United States', origin: 'Crossbreed', coat: 'Short', pattern: 'Solid' }
  },
  {
    id: 'bsho',
    name: 'British Shorthair',
    temperament: 'Affectionate, Calm, Easygoing, Quiet',
    origin: 'United Kingdom',
    countryCode: 'GB',
    description: 'Broad, plush and dignified, it would rather sit next to you than be carried about.',
    lifeSpan: '12 - 17',
    weight: { imperial: '7 - 17', metric: '3 - 8' },
    article: 'British Shorthair',
    summary: 'The British Shorthair is the pedigreed form of the traditional British house cat, with a stocky body, a dense coat and a broad face. Its best-known colour is blue-grey.',
    listing: { country: 'United Kingdom', origin: 'Natural', coat: 'Short', pattern: 'All' }
  },
  {
    id: 'bure',
    name: 'Burmese',
    temperament: 'Affectionate, Curious, Loyal, Playful',
    origin: 'Burma',
    countryCode: 'MM',
    description: 'Solid as a brick in silk, it greets guests at the door and does not care to be left alone.',
    lifeSpan: '15 - 16',
    weight: { imperial: '6 - 12', metric: '3 - 6' },
    article: 'Burmese cat',
    summary: 'The Burmese is a breed of short-haired cat with roots near the border of Thailand and Burma. Most of those alive today go back to one cat, Wong Mau, who was brought to America in 1930.',
    listing: { country: 'Burma (Myanmar) and Thailand', origin: 'Natural', coat: 'Short', pattern: 'Solid' }
  },
  {
    id: 'char',
    name: 'Chartreux',
    temperament: 'Affectionate, Calm, Loyal, Quiet',
    origin: 'France',
    countryCode: 'FR',
    description: 'A smiling, silent grey cat with copper eyes that hunts with skill and seldom says a word about it.',
    lifeSpan: '12 - 15',
    weight: { imperial: '6 - 15', metric: '3 - 7' },
    article: 'Chartreux',
    summary: 'The Chartreux is a breed of cat from France with a water-repellent blue-grey coat and orange to copper eyes. It is known for being quiet and for a face that seems to smile.',
    listing: { country: 'France', origin: 'Natural', coat: 'Short', pattern: 'Solid' }
  },
  {
    id: 'crex',
    name: 'Cornish Rex',
    temperament: 'Active, Affectionate, Intelligent, Playful',
    origin: 'United Kingdom',
    countryCode: 'GB',
    description: 'Waves of soft fur on the frame of a greyhound, and as fond of speed as one.',
    lifeSpan: '11 - 14',
    weight: { imperial: '5 - 9', metric: '2 - 4' },
    article: 'Cornish Rex',
    summary: 'The Cornish Rex is a breed of cat that has only the soft, wavy down hair and no outer coat. It began in 1950 with a curly kitten born on Bodmin Moor in Cornwall.',
    listing: { country: 'United Kingdom', origin: 'Mutation', coat: 'Rex', pattern: 'All' }
  },
  {
    id: 'drex',
    name: 'Devon Rex',
    temperament: 'Affectionate, Interactive, Mischievous, Playful',
    origin: 'United Kingdom',
    countryCode: 'GB',
    description: 'Big ears, a pixie’s face and a wavy coat belong to a cat that would like to sit on your shoulder.',
    lifeSpan: '10 - 15',
    weight: { imperial: '5 - 10', metric: '2 - 5' },
    article: 'Devon Rex',
    summary: 'The Devon Rex is a breed of cat with a short curly coat and very large ears, which appeared in Devon around 1960. Its curl comes from another gene than that of the Cornish Rex.',
    listing: { country: 'United Kingdom', origin: 'Mutation', coat: 'Rex', pattern: 'All' }
  },
  {
    id: 'emau',
    name: 'Egyptian Mau',
    temperament: 'Agile, Gentle, Loyal, Shy',
    origin: 'Egypt',
    countryCode: 'EG',
    description: 'Spots by nature, gooseberry-green eyes and a turn of speed that surprises everyone but the cat.',
    lifeSpan: '13 - 15',
    weight: { imperial: '6 - 14', metric: '3 - 6' },
    article: 'Egyptian Mau',
    summary: 'The Egyptian Mau is a short-haired breed of cat with naturally occurring spots. It is counted among the fastest domestic cats.',
    listing: { country: 'Egypt', origin: 'Natural', coat: 'Short', pattern: 'Spotted' }
  },
  {
    id: 'jbob',
    name: 'Japanese Bobtail',
    temperament: 'Active, Clever, Friendly, Talkative',
    origin: 'Japan',
    countryCode: 'JP',
    description: 'Its tail is a pompom, its voice a song, and its errand is always urgent.',
    lifeSpan: '14 - 16',
    weight: { imperial: '5 - 10', metric: '2 - 5' },
    article: 'Japanese Bobtail',
    summary: 'The Japanese Bobtail is a breed of cat with a short tail that resembles the tail of a rabbit. Such cats have been known in Japan for centuries and are the usual model of the maneki-neko.',
    listing: { country: 'Japan', origin: 'Natural', coat: 'Short/Long', pattern: 'All but colorpoint and ticked' }
  },
  {
    id: 'kora',
    name: 'Korat',
    temperament: 'Active, Gentle, Intelligent, Loyal',
    origin: 'Thailand',
    countryCode: 'TH',
    description: 'A silver-tipped blue coat and a heart-shaped face come with a strong liking for its own household.',
    lifeSpan: '10 - 15',
    weight: { imperial: '6 - 10', metric: '3 - 5' },
    article: 'Korat',
    summary: 'The Korat is a silver-blue, short-haired breed of cat from Thailand, where it is a token of good fortune. It is one of the oldest breeds that are still much as they were.',
    listing: { country: 'Thailand', origin: 'Natural', coat: 'Short', pattern: 'Solid' }
  },
  {
    id: 'mcoo',
    name: 'Maine Coon',
    temperament: 'Adaptable, Friendly, Gentle, Intelligent',
    origin: 'United States',
    countryCode: 'US',
    description: 'A big, shaggy, good-natured cat that chirps rather than meows and is slow to finish growing.',
    lifeSpan: '12 - 15',
    weight: { imperial: '9 - 18', metric: '4 - 8' },
    article: 'Maine Coon',
    summary: 'The Maine Coon is a large breed of cat from the state of Maine, where it is the official state cat. It has a shaggy water-resistant coat, tufted ears and a long bushy tail.',
    listing: { country: 'United States', origin: 'Natural', coat: 'Long', pattern: 'All but colorpoint' }
  },
  {
    id: 'manx',
    name: 'Manx',
    temperament: 'Easygoing, Loyal, Playful, Sociable',
    origin: 'Isle of Man',
    countryCode: 'IM',
    description: 'A round cat with strong hind legs, a rabbit’s gait and, as often as not, no tail at all.',
    lifeSpan: '12 - 14',
    weight: { imperial: '7 - 13', metric: '3 - 6' },
    article: 'Manx cat',
    summary: 'The Manx is a breed of cat from the Isle of Man with a mutation that shortens the tail. Those without any tail are called rumpies, those with a stub stumpies.',
    listing: { country: 'Isle of Man', origin: 'Mutation', coat: 'Short/Long', pattern: 'All but colorpoint' }
  },
  {
    id: 'norw',
    name: 'Norwegian Forest Cat',
    temperament: 'Active, Calm, Gentle, Sweet',
    origin: 'Norway',
    countryCode: 'NO',
    description: 'Dressed for snow and built for trees, this calm giant climbs down as readily as up.',
    lifeSpan: '12 - 16',
    weight: { imperial: '8 - 16', metric: '4 - 7' },
    article: 'Norwegian Forest cat',
    summary: 'The Norwegian Forest cat is a breed from northern Europe with a thick double coat made for a cold climate. In Norway it is called skogkatt, which means forest cat.',
    listing: { country: 'Norway', origin: 'Natural', coat: 'Long', pattern: 'All but colorpoint' }
  },
  {
    id: 'ocic',
    name: 'Ocicat',
    temperament: 'Active, Confident, Intelligent, Sociable',
    origin: 'United States',
    countryCode: 'US',
    description: 'The look of a wild cat from purely domestic parents, with a mind that takes to training.',
    lifeSpan: '12 - 14',
    weight: { imperial: '7 - 15', metric: '3 - 7' },
    article: 'Ocicat',
    summary: 'The Ocicat is a breed of cat that resembles the ocelot but has no wild forebears. It was developed from Siamese, Abyssinian and American Shorthair cats.',
    listing: { country: 'United States', origin: 'Crossbreed', coat: 'Short', pattern: 'Spotted' }
  },
  {
    id: 'pers',
    name: 'Persian',
    temperament: 'Affectionate, Gentle, Quiet, Sedate',
    origin: 'Iran',
    countryCode: 'IR',
    description: 'A long, flowing coat that asks for a comb each day, and a cat that asks for little else.',
    lifeSpan: '14 - 15',
    weight: { imperial: '9 - 14', metric: '4 - 6' },
    article: 'Persian cat',
    summary: 'The Persian is a long-haired breed of cat with a round face and a short muzzle. Long-haired cats were brought from Persia to Italy around 1620, though today’s breed took its form in Britain.',
    listing: { country: 'Iran (Persia)', origin: 'Natural', coat: 'Long', pattern: 'All' }
  },
  {
    id: 'ragd',
    name: 'Ragdoll',
    temperament: 'Affectionate, Calm, Easygoing, Gentle',
    origin: 'United States',
    countryCode: 'US',
    description: 'A large blue-eyed cat that tends to go limp with contentment when it is picked up.',
    lifeSpan: '12 - 17',
    weight: { imperial: '12 - 20', metric: '5 - 9' },
    article: 'Ragdoll',
    summary: 'The Ragdoll is a large breed of cat with a pointed coat and blue eyes, developed by the breeder Ann Baker in California in the 1960s. Its name comes from its habit of going limp in the arms.',
    listing: { country: 'United States', origin: 'Crossbreed', coat: 'Long', pattern: 'Colorpoint/Mitted/Bicolor' }
  },
  {
    id: 'rblu',
    name: 'Russian Blue',
    temperament: 'Gentle, Loyal, Quiet, Reserved',
    origin: 'Russia',
    countryCode: 'RU',
    description: 'Green-eyed and silver-tipped, it is shy with strangers, punctual at meals and devoted to a few.',
    lifeSpan: '10 - 16',
    weight: { imperial: '5 - 11', metric: '2 - 5' },
    article: 'Russian Blue',
    summary: 'The Russian Blue is a breed of cat with a dense blue-grey double coat and green eyes. Sailors are thought to have brought it from the port of Arkhangelsk to western Europe in the 1860s.',
    listing: { country: 'Russia', origin: 'Natural', coat: 'Short', pattern: 'Solid' }
  },
  {
    id: 'sfol',
    name: 'Scottish Fold',
    temperament: 'Affectionate, Calm, Easygoing, Sweet',
    origin: 'United Kingdom',
    countryCode: 'GB',
    description: 'Folded ears and round eyes give it the look of an owl; the gene behind the ears can also harm its joints.',
    lifeSpan: '11 - 14',
    weight: { imperial: '5 - 11', metric: '2 - 5' },
    article: 'Scottish Fold',
    summary: 'The Scottish Fold is a breed of cat with a dominant gene that makes the ears bend forward. The same gene affects cartilage in the whole body, so several countries restrict its breeding.',
    listing: { country: 'United Kingdom', origin: 'Mutation', coat: 'Short/Long', pattern: 'All' }
  },
  {
    id: 'siam',
    name: 'Siamese',
    temperament: 'Active, Affectionate, Sociable, Talkative',
    origin: 'Thailand',
    countryCode: 'TH',
    description: 'A long, elegant cat with blue eyes and an opinion, which it will tell you at length.',
    lifeSpan: '12 - 15',
    weight: { imperial: '8 - 15', metric: '4 - 7' },
    article: 'Siamese cat',
    summary: 'The Siamese is one of the first Asian breeds of cat to be recognised in the West. It comes from Thailand, formerly Siam, and has blue eyes and dark points.',
    listing: { country: 'Thailand', origin: 'Natural', coat: 'Short', pattern: 'Colorpoint' }
  },
  {
    id: 'sibe',
    name: 'Siberian',
    temperament: 'Affectionate, Curious, Intelligent, Playful',
    origin: 'Russia',
    countryCode: 'RU',
    description: 'A strong jumper in three layers of fur that follows its people from room to room.',
    lifeSpan: '12 - 15',
    weight: { imperial: '8 - 16', metric: '4 - 7' },
    article: 'Siberian cat',
    summary: 'The Siberian is a landrace and breed of domestic cat from Russia with a thick triple coat. It has been bred to a formal standard since the late 1980s.',
    listing: { country: 'Russia', origin: 'Natural', coat: 'Long', pattern: 'All' }
  },
  {
    id: 'sing',
    name: 'Singapura',
    temperament: 'Affectionate, Curious, Intelligent, Playful',
    origin: 'Singapore',
    countryCode: 'SG',
    description: 'One of the smallest cats there are, with very large eyes and a wish to be in the middle of things.',
    lifeSpan: '12 - 15',
    weight: { imperial: '4 - 8', metric: '2 - 4' },
    article: 'Singapura cat',
    summary: 'The Singapura is one of the smallest breeds of cat, with a brown-ticked ivory coat and large eyes. It is named after the Malay word for Singapore.',
    listing: { country: 'Singapore', origin: 'Natural', coat: 'Short', pattern: 'Ticked' }
  },
  {
    id: 'soma',
    name: 'Somali',
    temperament: 'Active, Curious, Mischievous, Playful',
    origin: 'United States',
    countryCode: 'US',
    description: 'An Abyssinian with the tail of a fox, just as busy and somewhat better dressed.',
    lifeSpan: '12 - 16',
    weight: { imperial: '6 - 12', metric: '3 - 5' },
    article: 'Somali cat',
    summary: 'The Somali is a long-haired form of the Abyssinian. Its bushy tail and large ears have earned it the name of fox cat.',
    listing: { country: 'United States', origin: 'Mutation', coat: 'Long', pattern: 'Ticked' }
  },
  {
    id: 'sphy',
    name: 'Sphynx',
    temperament: 'Affectionate, Energetic, Inquisitive, Loyal',
    origin: 'Canada',
    countryCode: 'CA',
    description: 'Warm to the touch and nearly bare, it looks for blankets, lamps and people, in any order.',
    lifeSpan: '12 - 14',
    weight: { imperial: '6 - 12', metric: '3 - 5' },
    article: 'Sphynx cat',
    summary: 'The Sphynx is a breed of cat known for its lack of coat, which comes from a natural mutation. It was developed in Canada from the 1960s on, beginning with a hairless kitten born in Toronto.',
    listing: { country: 'Canada', origin: 'Mutation', coat: 'Hairless', pattern: 'All' }
  },
  {
    id: 'tonk',
    name: 'Tonkinese',
    temperament: 'Affectionate, Curious, Playful, Sociable',
    origin: 'Canada',
    countryCode: 'CA',
    description: 'Half Siamese and half Burmese, it brings the talk of the one and the warmth of the other.',
    lifeSpan: '14 - 16',
    weight: { imperial: '6 - 12', metric: '3 - 5' },
    article: 'Tonkinese cat',
    summary: 'The Tonkinese is a breed of cat made by crossing the Siamese with the Burmese. Its mink coat, between the patterns of its parents, often goes with aqua eyes.',
    listing: { country: 'Canada', origin: 'Crossbreed', coat: 'Short', pattern: 'Colorpoint/Mink/Solid' }
  },
  {
    id: 'tang',
    name: 'Turkish Angora',
    temperament: 'Affectionate, Agile, Clever, Lively',
    origin: 'Turkey',
    countryCode: 'TR',
    description: 'Fine-boned and silk-coated, it has the poise of a dancer and wins most arguments.',
    lifeSpan: '15 - 18',
    weight: { imperial: '5 - 10', metric: '2 - 5' },
    article: 'Turkish Angora',
    summary: 'The Turkish Angora is a breed of cat from the region of Ankara, and one of the ancient natural long-haired breeds. Although famous in white, it is found in many colours.',
    listing: { country: 'Turkey', origin: 'Natural', coat: 'Long', pattern: 'All but colorpoint' }
  },
  {
    id: 'tvan',
    name: 'Turkish Van',
    temperament: 'Agile, Energetic, Independent, Intelligent',
    origin: 'Turkey',
    countryCode: 'TR',
    description: 'A large, lively cat in white with colour on head and tail only, which may join you in the bath.',
    lifeSpan: '12 - 17',
    weight: { imperial: '7 - 20', metric: '3 - 9' },
    article: 'Turkish Van',
    summary: 'The Turkish Van is a semi-long-haired breed of cat, white with coloured markings on the head and the tail. It was developed in the United Kingdom from cats found in Turkey.',
    listing: { country: 'Turkey', origin: 'Natural', coat: 'Long', pattern: 'Van' }
  }
]
