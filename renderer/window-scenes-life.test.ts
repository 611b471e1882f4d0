import { lifeScenes } from "./testing/life-scenes.ts";
import { testScenes } from "./testing/sound-scenes.ts";

testScenes("in a dealer's life", lifeScenes);
