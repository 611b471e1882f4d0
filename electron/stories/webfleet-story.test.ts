/** A whole connection's life at Webfleet, played by oidc-provider, with a person in a real browser. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provider as webfleet } from "../oauth/providers/webfleet.ts";
import { hasBrowser, Person, standInButtons } from "./person.ts";
import { movableClock, playWebfleet } from "./stand-ins.ts";
import { expectedMoral, tellWebfleetStory } from "./webfleet-story.ts";

const user = { userName: "johndoe", password: "johns-password" };

describe.runIf(hasBrowser("the story of a connection at Webfleet, in a browser"))("a connection at Webfleet", { timeout: 180_000 }, () => {
  let person: Person;
  beforeAll(async () => {
    person = await Person.arrive();
  });
  afterAll(() => person.leave());

  it("is refused, made, used, renewed, rotated, lost when idle, made again, rejected, forbidden and revoked", async () => {
    const clock = movableClock();
    const users = [{ id: user.userName, name: "John Doe", password: user.password }];
    const { server, registration, callApi } = await playWebfleet({ users, behaviour: { signInPage: true } }, clock.now);
    const moral = await tellWebfleetStory(
      {
        definition: webfleet,
        registration,
        user,
        buttons: standInButtons,
        callApi,
        setTokenLifeSeconds: async (seconds) => void (server.behaviour.accessTokenLifetimeSeconds = seconds),
        // The offline token's idle timeout: 30 days.
        letGrantDie: async () => clock.moveDays(31),
        playedOnly: {
          expireAccessTokens: server.expireAccessTokens,
          answerApi: (status) => void (server.behaviour.apiStatus = status),
        },
      },
      person,
    );
    expect(moral).toEqual(expectedMoral);
  });
});
