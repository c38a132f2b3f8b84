global using Commerce.Federation.Data;
global using Commerce.Federation.Hops;
global using Commerce.Federation.Offers;
global using Commerce.Federation.Partners;
global using Commerce.Federation.Releases;
